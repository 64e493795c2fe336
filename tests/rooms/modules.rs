//! The modules of crates in Rust, as their text has them: the names that each defines and the paths that it mentions.
//! What is compiled for tests only is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, Meta, Token, UseTree};

/// A folder with a crate's source.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// In the repository.
    pub path: &'a str,
    /// What others call its library.
    pub library: &'a str,
}

/// All that was read.
pub struct Program<'a> {
    pub modules: Vec<Module>,
    /// The root modules of libraries, by the names that others use.
    pub libraries: BTreeMap<&'a str, usize>,
}

/// Reads all trees, whose files are in `files` (texts by paths).
pub fn read<'a>(trees: &[Tree<'a>], files: &BTreeMap<String, String>) -> Result<Program<'a>, String> {
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
    Ok(Program { modules: reader.modules, libraries })
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
pub enum Meaning {
    Module(usize),
    /// Defined in the module.
    Item,
    /// By `use`.
    Import(Vec<String>),
}

/// A path in the text.
#[derive(Debug)]
pub struct Mention {
    pub segments: Vec<String>,
    pub line: usize,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Path,
    /// Found in the modules around it too.
    Macro,
    /// What stands before `::*`.
    Glob,
}

#[derive(Debug)]
pub struct Module {
    pub file: String,
    pub parent: Option<usize>,
    pub names: BTreeMap<String, Vec<Meaning>>,
    /// What stands before `::*`.
    pub globs: Vec<Vec<String>>,
    /// Whether it has items, or macros that may make some, and not only other modules' names.
    pub defines: bool,
    pub mentions: Vec<Mention>,
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
