# From "class size demangled-name" lines: a table of bytes by room of this library and by crate,
# biggest first, and the total last.

{
    class = $1
    size = $2
    name = $0
    sub(/^[^ ]+ [^ ]+ /, "", name)
    room = owner(name)
    rooms[room] = 1
    bytes[room, class] += size
    total[class] += size
}

END {
    printf "%-24s %8s %8s %8s %8s\n", "", "text", "rodata", "data", "bss"
    sort = "sort -k2,2nr -k1,1"
    for (room in rooms)
        row(room, bytes[room, "text"], bytes[room, "rodata"], bytes[room, "data"], bytes[room, "bss"])
    close(sort)
    sort = "cat"
    row("total", total["text"], total["rodata"], total["data"], total["bss"])
}

function row(label, text, rodata, data, bss) {
    gsub(/ /, "_", label)
    printf "%-24s %8d %8d %8d %8d\n", label, text, rodata, data, bss | sort
}

# The first path of a symbol says whose it is: "<&w800_mqtt_at::link::State as core::fmt::Display>::fmt"
# is link's. What lies in src/lib.rs itself, C entry points and panic handler with it, is "lib".
function owner(name,    parts) {
    if (name ~ /^__atomic_/) return "sdk"
    if (name ~ /^(\.Lanon|\.Lswitch|cst|str|-)/) return "constants"
    if (name ~ /^\.wm_at_table/) return "command table"
    if (name ~ /^(w800_mqtt_at_|__rustc)/) return "lib"
    gsub(/\[[0-9a-f]+\]/, "", name)
    if (!match(name, /[a-z_][a-z_0-9]*::[A-Za-z_0-9:]*/)) return "other"
    split(substr(name, RSTART, RLENGTH), parts, "::")
    if (parts[1] != "w800_mqtt_at" && parts[1] != "w800_mqtt_core") return parts[1]
    return parts[3] == "" ? "lib" : parts[2]
}
