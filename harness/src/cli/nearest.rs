//! What may have been meant by a word that nothing has for a name.

/// The name that is nearest to what was typed, if it is near enough: one slip in four letters.
pub(super) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let slips = |name: &&str| distance(typed, name);
    let found = names.into_iter().min_by_key(slips)?;
    (slips(&found) <= typed.chars().count().div_ceil(4)).then_some(found)
}

/// How many slips lie between the two: a letter too many, too few or wrong, or two swapped (the
/// optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let wrong = usize::from(a[i - 1] != b[j - 1]);
            let mut least =
                (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + wrong);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (a, b, slips) in
            [("watch", "watch", 0), ("wach", "watch", 1), ("wacth", "watch", 1), ("", "ab", 2)]
        {
            assert_eq!(distance(a, b), slips, "{a} {b}");
            assert_eq!(distance(b, a), slips, "{b} {a}");
        }
    }

    #[test]
    fn what_is_too_far_away_is_not_suggested() {
        let names = ["check", "watch", "list"];
        assert_eq!(nearest("wach", names), Some("watch"));
        assert_eq!(nearest("lst", names), Some("list"));
        assert_eq!(nearest("w", names), None);
        assert_eq!(nearest("nonsense", names), None);
        assert_eq!(nearest("wach", []), None);
    }
}
