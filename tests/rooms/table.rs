//! The table of rooms in the documentation, and what of the code does not keep to it.

use std::collections::BTreeSet;

use crate::graph::{Import, circles};

const HEADING: &str = "Which room may use which";
const COLUMNS: [&str; 4] = ["room", "where", "may use", "never"];

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Room {
    pub name: String,
    /// Files, files without their endings, or folders, as paths in the repository.
    pub places: Vec<String>,
    pub uses: BTreeSet<String>,
    /// In the documentation.
    pub line: usize,
}

/// Reads the table out of the documentation's text.
pub fn read(text: &str) -> Result<Vec<Room>, String> {
    let mut lines = (1..).zip(text.lines()).skip_while(|(_, line)| line.trim_start_matches('#').trim() != HEADING);
    lines.next().ok_or_else(|| format!("there is no heading {HEADING:?}"))?;
    let mut table = lines.skip_while(|(_, line)| !line.starts_with('|')).take_while(|(_, line)| line.starts_with('|'));
    let (line, head) = table.next().ok_or_else(|| format!("no table follows the heading {HEADING:?}"))?;
    if cells(head) != COLUMNS {
        return Err(format!("line {line}: the columns are not {COLUMNS:?}"));
    }
    let rooms = table.skip(1).map(|(line, row)| room(line, row)).collect::<Result<Vec<_>, _>>()?;
    if rooms.is_empty() { Err("the table has no rows".to_owned()) } else { Ok(rooms) }
}

fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split('|').map(str::trim).collect()
}

fn room(line: usize, row: &str) -> Result<Room, String> {
    let cells = cells(row);
    let [room, places, uses, _] = cells.as_slice() else {
        return Err(format!("line {line}: {} columns in place of {}", cells.len(), COLUMNS.len()));
    };
    let (names, places) = (code(room), code(places));
    match names.as_slice() {
        [name] if !places.is_empty() => {
            Ok(Room { name: name.clone(), places, uses: code(uses).into_iter().collect(), line })
        }
        _ => Err(format!("line {line}: not one name and at least one path, in backquotes")),
    }
}

/// What stands in backquotes.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What is wrong with the table itself.
pub fn faults(rooms: &[Room]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for room in rooms {
        if !names.insert(&room.name) {
            faults.push(format!("line {}: there are two rooms `{}`", room.line, room.name));
        }
    }
    for room in rooms {
        let unknown = room.uses.iter().filter(|name| !names.contains(name));
        faults.extend(unknown.map(|name| format!("line {}: there is no room `{name}`", room.line)));
    }
    let allowed: Vec<Import> = rooms.iter().flat_map(permissions).collect();
    faults.extend(circles(&allowed, |room| room).into_iter().map(|circle| format!("the table allows {circle}")));
    faults
}

fn permissions(room: &Room) -> impl Iterator<Item = Import> {
    let one = |to: &String| Import {
        from: format!("`{}`", room.name),
        line: room.line,
        what: "a name".to_owned(),
        to: format!("`{to}`"),
    };
    room.uses.iter().map(one)
}

/// The room of a file: the one whose place says most about it.
fn room_of<'a>(rooms: &'a [Room], file: &str) -> Option<&'a Room> {
    let places = rooms.iter().flat_map(|room| room.places.iter().map(move |place| (place, room)));
    places.filter(|(place, _)| lies_at(file, place)).max_by_key(|(place, _)| place.len()).map(|(_, room)| room)
}

fn lies_at(file: &str, place: &str) -> bool {
    file.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || (rest.starts_with('.') && !rest.contains('/')))
}

/// Where the code does not keep to the table. `trees` are the folders that were read and `files` what they hold; a
/// crate's root may stand outside all rooms and use each of them.
pub fn violations(rooms: &[Room], trees: &[&str], files: &[&str], imports: &[Import]) -> Vec<String> {
    let mut found = Vec::new();
    let roots: BTreeSet<String> =
        trees.iter().flat_map(|tree| [format!("{tree}/lib.rs"), format!("{tree}/main.rs")]).collect();
    let homeless = files.iter().filter(|file| room_of(rooms, file).is_none() && !roots.contains(**file));
    found.extend(homeless.map(|file| format!("{file} is in no room")));
    for room in rooms {
        let read = room.places.iter().filter(|place| trees.iter().any(|tree| lies_at(place, tree)));
        let empty = read.filter(|place| !files.iter().any(|file| lies_at(file, place)));
        found.extend(empty.map(|place| format!("line {}: nothing is at {place}", room.line)));
    }
    found.extend(imports.iter().filter_map(|import| forbidden(rooms, import)));
    found
}

fn forbidden(rooms: &[Room], import: &Import) -> Option<String> {
    let from = room_of(rooms, &import.from)?;
    match room_of(rooms, &import.to) {
        Some(to) if to.name == from.name || from.uses.contains(&to.name) => None,
        Some(to) => Some(format!("`{}` may not use `{}`: {import}", from.name, to.name)),
        None => Some(format!("`{}` uses what is in no room: {import}", from.name)),
    }
}
