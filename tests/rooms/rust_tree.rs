//! The imports of Rust: every path in a crate's modules, followed through `use` and `pub use` to the file that defines
//! what it names.
//!
//! A path that ends at a module is no import of its own: what is taken from the module is named by other paths. What is
//! compiled for tests only is left out. Methods are not seen, since their paths are not written.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, Meta, Token, UseTree};

use crate::graph::Import;

/// A folder with a crate's source.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// In the repository.
    pub path: &'a str,
    /// What others call its library.
    pub library: &'a str,
}

/// The imports of all trees whose files are in `files` (texts by paths).
pub fn imports(trees: &[Tree<'_>], files: &BTreeMap<String, String>) -> Result<Vec<Import>, String> {
    let mut reader = Reader { files, modules: Vec::new(), seen: BTreeSet::new(), left_out: Vec::new() };
    let mut libraries = BTreeMap::new();
    for tree in trees {
        let before = reader.modules.len();
        for path in roots(tree, files) {
            let root = reader.file(path, None, folder(path))?;
            if path.ends_with("/lib.rs") {
                libraries.insert(tree.library, root);
            }
        }
        if reader.modules.len() == before {
            return Err(format!("{} has no lib.rs and no program", tree.path));
        }
        reader.all_are_read(tree)?;
    }
    let program = Program { modules: reader.modules, libraries };
    Ok(program.imports())
}

/// The files that the compiler begins with.
fn roots<'a>(tree: &Tree<'_>, files: &'a BTreeMap<String, String>) -> impl Iterator<Item = &'a str> {
    let (library, program, programs) =
        (format!("{}/lib.rs", tree.path), format!("{}/main.rs", tree.path), format!("{}/bin", tree.path));
    let is_root = move |path: &&str| *path == library || *path == program || folder(path) == programs;
    files.keys().map(String::as_str).filter(is_root)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What a name in a module stands for; some stand for more than one thing.
#[derive(Debug)]
enum Meaning {
    Module(usize),
    /// Defined in the module.
    Item,
    /// By `use`.
    Import(Vec<String>),
}

/// A path in the text.
#[derive(Debug)]
struct Mention {
    segments: Vec<String>,
    line: usize,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Path,
    /// Found in the modules around it too.
    Macro,
    /// What stands before `::*`.
    Glob,
}

#[derive(Debug)]
struct Module {
    file: String,
    parent: Option<usize>,
    names: BTreeMap<String, Vec<Meaning>>,
    /// What stands before `::*`.
    globs: Vec<Vec<String>>,
    /// Whether it has items, or macros that may make some, and not only other modules' names.
    defines: bool,
    mentions: Vec<Mention>,
}

/* From texts to modules */

struct Reader<'a> {
    files: &'a BTreeMap<String, String>,
    modules: Vec<Module>,
    seen: BTreeSet<String>,
    /// Modules for tests only, as paths without an ending.
    left_out: Vec<String>,
}

impl Reader<'_> {
    /// Reads a file as a module; its children's files are in `children`.
    fn file(&mut self, path: &str, parent: Option<usize>, children: &str) -> Result<usize, String> {
        let text = self.files.get(path).ok_or_else(|| format!("there is no {path}"))?;
        let parsed = syn::parse_file(text).map_err(|error| format!("{path}:{}: {error}", error.span().start().line))?;
        self.seen.insert(path.to_owned());
        self.module(path, parent, children, &parsed.items)
    }

    fn module(&mut self, file: &str, parent: Option<usize>, children: &str, items: &[Item]) -> Result<usize, String> {
        let number = self.modules.len();
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            names: BTreeMap::new(),
            globs: Vec::new(),
            defines: false,
            mentions: Vec::new(),
        });
        for item in items {
            match item {
                Item::Mod(child) if is_for_tests(&child.attrs) => {
                    self.left_out.push(format!("{children}/{}", child.ident));
                }
                Item::Mod(child) => {
                    for found in self.children(file, number, children, child)? {
                        self.modules[number].define(child.ident.to_string(), Meaning::Module(found));
                    }
                }
                item => self.modules[number].visit_item(item),
            }
        }
        Ok(number)
    }

    /// The module that stands there; more than one where options choose between files.
    fn children(&mut self, file: &str, parent: usize, folders: &str, child: &ItemMod) -> Result<Vec<usize>, String> {
        let inside = format!("{folders}/{}", child.ident);
        if let Some((_, items)) = &child.content {
            return Ok(vec![self.module(file, Some(parent), &inside, items)?]);
        }
        let mut found = Vec::new();
        for place in child.attrs.iter().filter_map(|attribute| named_file(&attribute.meta)) {
            let path = format!("{}/{place}", folder(file));
            found.push(self.file(&path, Some(parent), folder(&path))?);
        }
        let is_always_named = child.attrs.iter().any(|attribute| attribute.path().is_ident("path"));
        let usual = [format!("{inside}.rs"), format!("{inside}/mod.rs")];
        match usual.iter().find(|path| self.files.contains_key(*path)) {
            Some(path) if !is_always_named => found.push(self.file(path, Some(parent), &inside)?),
            None if found.is_empty() => return Err(format!("{file}: there is neither {} nor {}", usual[0], usual[1])),
            _ => {}
        }
        Ok(found)
    }

    /// A file that no module names would escape every check.
    fn all_are_read(&self, tree: &Tree<'_>) -> Result<(), String> {
        let is_left_out = |path: &str| {
            let rests = self.left_out.iter().filter_map(|left_out| path.strip_prefix(left_out.as_str()));
            rests.into_iter().any(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        let inside = format!("{}/", tree.path);
        let mut unread = self.files.keys().filter(|path| path.starts_with(&inside) && path.ends_with(".rs"));
        match unread.find(|path| !self.seen.contains(*path) && !is_left_out(path)) {
            Some(path) => Err(format!("{path} is in no module")),
            None => Ok(()),
        }
    }
}

/// Whether something is compiled with `cfg(test)` only, whatever else is set.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            attribute.parse_args::<Meta>().is_ok_and(|condition| holds(&condition) == Some(false))
        }
        _ => false,
    })
}

/// A condition of `cfg` outside tests; `None` for what may be either.
fn holds(condition: &Meta) -> Option<bool> {
    match condition {
        Meta::Path(path) if path.is_ident("test") => Some(false),
        Meta::List(list) => {
            let parts: Vec<Option<bool>> = parts(list)?.iter().map(holds).collect();
            if list.path.is_ident("not") {
                return parts.first()?.map(|holds| !holds);
            }
            let decides = list.path.is_ident("any");
            if parts.contains(&Some(decides)) {
                return Some(decides);
            }
            parts.iter().all(Option::is_some).then_some(!decides)
        }
        _ => None,
    }
}

/// The file that `path = "…"` names, by itself or under a condition.
fn named_file(meta: &Meta) -> Option<String> {
    match meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        Meta::List(list) if list.path.is_ident("cfg_attr") => parts(list)?.iter().skip(1).find_map(named_file),
        _ => None,
    }
}

fn parts(list: &syn::MetaList) -> Option<Vec<Meta>> {
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    Some(parts.ok()?.into_iter().collect())
}

/* From a module's text to its names and paths */

impl Module {
    fn define(&mut self, name: String, meaning: Meaning) {
        self.names.entry(name).or_default().push(meaning);
    }

    fn mention(&mut self, segments: Vec<String>, line: usize, form: Form) {
        self.mentions.push(Mention { segments, line, form });
    }

    /// The leaves of a `use`, each behind `before`.
    fn import(&mut self, before: &[String], tree: &UseTree) {
        let joined = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&joined(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(before, tree)),
            UseTree::Name(name) if name.ident == "self" => self.import_as(before.to_vec(), before.last(), &name.ident),
            UseTree::Name(name) => {
                self.import_as(joined(&name.ident), Some(&name.ident.to_string()), &name.ident);
            }
            UseTree::Rename(rename) => {
                let path = if rename.ident == "self" { before.to_vec() } else { joined(&rename.ident) };
                self.import_as(path, Some(&rename.rename.to_string()), &rename.ident);
            }
            UseTree::Glob(glob) => {
                self.mention(before.to_vec(), glob.star_token.span.start().line, Form::Glob);
                self.globs.push(before.to_vec());
            }
        }
    }

    fn import_as(&mut self, path: Vec<String>, name: Option<&String>, place: &syn::Ident) {
        self.mention(path.clone(), place.span().start().line, Form::Path);
        if let Some(name) = name {
            self.define(name.clone(), Meaning::Import(path));
        }
    }

    /// The paths in what a macro is given, which has no syntax of its own yet.
    fn scan(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        let mut behind_point = false;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(ident) if !behind_point => {
                    let mut segments = vec![ident.to_string()];
                    while tokens.next_if(|token| is_punctuation(token, ':')).is_some() {
                        tokens.next_if(|token| is_punctuation(token, ':'));
                        match tokens.peek() {
                            Some(TokenTree::Ident(next)) => segments.push(next.to_string()),
                            _ => break,
                        }
                        tokens.next();
                    }
                    self.mention(segments, ident.span().start().line, Form::Path);
                    behind_point = false;
                }
                token => behind_point = is_punctuation(&token, '.'),
            }
        }
    }
}

fn is_punctuation(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punctuation) if punctuation.as_char() == mark)
}

/// The names that an item defines in its module.
fn defined(item: &Item) -> Vec<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => return item.ident.iter().map(ToString::to_string).collect(),
        Item::ForeignMod(item) => return item.items.iter().filter_map(foreign).collect(),
        _ => return Vec::new(),
    };
    vec![name.to_string()]
}

fn foreign(item: &syn::ForeignItem) -> Option<String> {
    match item {
        syn::ForeignItem::Fn(item) => Some(item.sig.ident.to_string()),
        syn::ForeignItem::Static(item) => Some(item.ident.to_string()),
        syn::ForeignItem::Type(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Attributes whose words name no item.
const WITHOUT_PATHS: [&str; 8] = ["cfg", "cfg_attr", "allow", "expect", "deny", "warn", "doc", "repr"];

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        self.defines |= !matches!(item, Item::Use(_) | Item::ExternCrate(_));
        for name in defined(item) {
            self.define(name, Meaning::Item);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let Some(first) = path.segments.first() {
            self.mention(segments, first.ident.span().start().line, Form::Path);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        if let Some(mention) = self.mentions.last_mut() {
            mention.form = Form::Macro;
        }
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta
            && !WITHOUT_PATHS.iter().any(|name| list.path.is_ident(name))
        {
            self.scan(list.tokens.clone());
        }
    }
}

/* From paths to files */

struct Program<'a> {
    modules: Vec<Module>,
    libraries: BTreeMap<&'a str, usize>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Module(usize),
    /// Something that this module defines.
    In(usize),
}

/// The names that are being looked up, each in its module.
type Steps = BTreeSet<(usize, String, Step)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Name,
    Glob,
}

/// Takes a step, unless it is being taken already: a name that leads to itself leads nowhere.
fn guarded(
    steps: &mut Steps,
    (module, name, step): (usize, &str, Step),
    look: impl FnOnce(&mut Steps) -> Vec<Found>,
) -> Vec<Found> {
    let key = (module, name.to_owned(), step);
    if !steps.insert(key.clone()) {
        return Vec::new();
    }
    let found = look(steps);
    steps.remove(&key);
    found
}

impl Program<'_> {
    /// One import for each pair of files: the first in the text.
    fn imports(&self) -> Vec<Import> {
        let mut imports: BTreeMap<(&str, &str), Import> = BTreeMap::new();
        for (number, module) in self.modules.iter().enumerate() {
            for mention in &module.mentions {
                for found in self.targets(number, mention) {
                    let to = self.modules[found].file.as_str();
                    let (from, line, what) = (module.file.clone(), mention.line, mention.segments.join("::"));
                    let import = Import { from, line, what, to: to.to_owned() };
                    let entry = imports.entry((&module.file, to)).or_insert_with(|| import.clone());
                    if line < entry.line {
                        *entry = import;
                    }
                }
            }
        }
        imports.into_values().filter(|import| import.from != import.to).collect()
    }

    /// The modules that define what a path names.
    fn targets(&self, module: usize, mention: &Mention) -> Vec<usize> {
        let mut found = self.resolve(module, &mention.segments, &mut Steps::new());
        let mut around = self.modules[module].parent;
        while let Some(module) = around.filter(|_| mention.form == Form::Macro && found.is_empty()) {
            found = self.resolve(module, &mention.segments, &mut Steps::new());
            around = self.modules[module].parent;
        }
        let defining = found.into_iter().filter_map(|found| match found {
            Found::In(module) => Some(module),
            Found::Module(module) => (mention.form == Form::Glob && self.modules[module].defines).then_some(module),
        });
        defining.collect()
    }

    fn resolve(&self, module: usize, segments: &[String], steps: &mut Steps) -> Vec<Found> {
        let Some((first, rest)) = segments.split_first() else { return Vec::new() };
        let mut found = self.first(module, first, steps);
        for segment in rest {
            // A name before `::` is a module's or a type's; there cannot be both.
            if found.iter().any(|found| matches!(found, Found::Module(_))) {
                found.retain(|found| matches!(found, Found::Module(_)));
            }
            found = found.into_iter().flat_map(|found| self.next(found, segment, steps)).collect();
        }
        found
    }

    fn first(&self, module: usize, name: &str, steps: &mut Steps) -> Vec<Found> {
        match name {
            "crate" => vec![Found::Module(self.root(module))],
            "self" => vec![Found::Module(module)],
            "super" => self.modules[module].parent.map(Found::Module).into_iter().collect(),
            name => {
                let found = self.look_up(module, name, steps);
                if found.is_empty() {
                    return self.libraries.get(name).map(|root| Found::Module(*root)).into_iter().collect();
                }
                found
            }
        }
    }

    fn next(&self, found: Found, name: &str, steps: &mut Steps) -> Vec<Found> {
        let Found::Module(module) = found else { return vec![found] };
        if matches!(name, "self" | "super") {
            return self.first(module, name, steps);
        }
        let found = self.look_up(module, name, steps);
        // The text does not show what macros and included files define.
        if found.is_empty() { vec![Found::In(module)] } else { found }
    }

    /// What a name stands for in a module, by itself or by `use …::*`.
    fn look_up(&self, number: usize, name: &str, steps: &mut Steps) -> Vec<Found> {
        let module = &self.modules[number];
        let mut found = Vec::new();
        for meaning in module.names.get(name).into_iter().flatten() {
            match meaning {
                Meaning::Module(child) => found.push(Found::Module(*child)),
                Meaning::Item => found.push(Found::In(number)),
                Meaning::Import(path) => {
                    found.extend(guarded(steps, (number, name, Step::Name), |steps| self.resolve(number, path, steps)));
                }
            }
        }
        // A module and what comes by `*` may have the same name.
        if !found.iter().any(|found| matches!(found, Found::In(_))) {
            found.extend(guarded(steps, (number, name, Step::Glob), |steps| self.look_up_globs(number, name, steps)));
        }
        found
    }

    fn look_up_globs(&self, number: usize, name: &str, steps: &mut Steps) -> Vec<Found> {
        let mut found = Vec::new();
        for path in &self.modules[number].globs {
            for source in self.resolve(number, path, steps) {
                if let Found::Module(module) = source {
                    found.extend(self.look_up(module, name, steps));
                }
            }
        }
        found
    }

    fn root(&self, module: usize) -> usize {
        self.modules[module].parent.map_or(module, |parent| self.root(parent))
    }
}
