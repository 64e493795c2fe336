# From a linker map: one line "class size name" for each input section of this library that stays.
# class: text, rodata, data or bss. name: what the section holds, still mangled.

/^Linker script and memory map/ { kept = 1; next }
!kept { next }

# A long section name stands on a line of its own, address and size on the next.
/^ \.[^ ]+$/ { section = $1; next }
/^ \.[^ ]+ +0x/ { section = $1; report($3, $4); next }
/^ +0x[0-9a-f]+ +0x[0-9a-f]+ / { if (section != "") report($2, $3); next }
{ section = "" }

function report(size, file,    class) {
    class = classify(section)
    if (class != "" && file ~ /libw800_mqtt_at\.a/ && bytes(size) > 0)
        print class, bytes(size), held(section)
    section = ""
}

function classify(name) {
    if (name ~ /^\.text/) return "text"
    if (name ~ /^\.(rodata|wm_at_table)/) return "rodata"
    if (name ~ /^\.data/) return "data"
    if (name ~ /^\.bss/) return "bss"
    return ""
}

function held(name) {
    sub(/^\.(text|rodata|data|bss)\.?/, "", name)
    sub(/^(unlikely|hot|cold|startup|exit)\./, "", name)
    return name == "" ? "-" : name
}

# "0x1f" in decimal: POSIX awk reads no hexadecimal.
function bytes(hex,    i, value) {
    value = 0
    for (i = 3; i <= length(hex); i++)
        value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return value
}
