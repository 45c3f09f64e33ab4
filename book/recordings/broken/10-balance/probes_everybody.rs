// Whether one is healthy is known only when it is asked.
loop {
    let all = |table: &backends::Table| {
        let all = table.backends.iter().enumerate();
        all.map(|(number, one)| (number, one.address)).collect::<Vec<_>>()
    };
    let down = all(&backends.lock());
    // …
}
