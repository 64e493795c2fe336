# Shared by test.sh and nightly.sh: parts that run one after the other, each whatever became of the one before, and a
# summary of all. Sourced, never run.
# shellcheck shell=bash

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# part <title> <command>...: its output is shown, and kept for the summary.
part() {
    local title=$1 start=$SECONDS output=$logs/output.$BASHPID status
    shift
    printf '\n=== %s\n' "$title"
    "$@" 2>&1 | tee "$output"
    status=${PIPESTATUS[0]}
    summarize "$title" $((SECONDS - start)) "$status" "$output"
}

# summarize <title> <seconds> <status> <output>
summarize() {
    local result=passed
    (($3 == 0)) || result=FAILED
    printf '%s  %s (%d s)\n' "$result" "$1" "$2" >>"$logs/summary"
    grep -E '^test result: |^RERUN |^[0-9]+ (passed|failed).* in [0-9.]+s' "$4" >>"$logs/summary"
}

# Prints it; fails where a part has failed.
print_summary() {
    printf '\n=== summary\n'
    cat "$logs/summary"
    ! grep -q '^FAILED' "$logs/summary"
}
