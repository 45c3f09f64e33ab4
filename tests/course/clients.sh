# For the texts in fixtures/LAB/clients: bash reads it before each command.

# soon COMMAND...: repeats a command until it succeeds, and says so where it never does. Whatever is waited for comes in
# much less than this, on a machine that does anything at all.
soon() {
    local end=$((SECONDS + 120))
    until "$@" 2>/dev/null; do
        if ((SECONDS >= end)); then
            echo "not within 120 s: $*"
            return 1
        fi
        sleep 0.1
    done
}

# answers PORT: whether somebody listens there.
answers() {
    (exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# stop: ends what runs in the background. How it ends is its own matter: some programs crash on their way out.
stop() {
    kill $(jobs -p)
    wait
} 2>/dev/null

# told FILE: what a program has printed, on one line: each sentence once, without addresses, and without the ready line.
told() {
    sed -E '/^listening/d; s/ [0-9.]+:[0-9]+//' "$1" | awk '!seen[$0]++' | paste -sd '~' | sed 's/~/; /g'
}

# row PROGRAM DOES SINCE SAID: a row of the table of real programs, with the time since SINCE ($EPOCHREALTIME).
row() {
    local tenths=$(((${EPOCHREALTIME/./} - ${3/./} + 50000) / 100000))
    printf '%-12s %-5s %4d.%d s  %s\n' "$1" "$2" $((tenths / 10)) $((tenths % 10)) "$4" >>"$TABLE"
}
