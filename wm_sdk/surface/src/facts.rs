//! Bindings to facts.
//!
//! Typedefs are resolved down to the chip's integers, pointers and structures, and parameters lose their names: what
//! stays is what a compiled archive depends on.

use std::collections::BTreeMap;
use std::fmt;

use syn::{
    Expr, Fields, ForeignItem, ForeignItemFn, GenericArgument, Item, Lit, PathArguments, ReturnType, Stmt, Type,
};

use crate::Result;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A macro, an enumeration's value or a static constant.
    Constant,
    /// A structure's or union's member: where it lies, and its type.
    Field,
    /// The symbol, the parameters' types and the result's.
    Function,
    /// Size and alignment of a structure or union; of one that is only declared, that.
    Structure,
    /// What a typedef or an enumeration comes down to.
    Type,
}

impl Kind {
    /// In the order of the list.
    pub const ALL: [Kind; 5] = [Kind::Constant, Kind::Field, Kind::Function, Kind::Structure, Kind::Type];

    /// The first word of a line.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Constant => "constant",
            Kind::Field => "field",
            Kind::Function => "function",
            Kind::Structure => "struct",
            Kind::Type => "type",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// Facts of one set of headers under one configuration: kind and name to what is so.
pub type Facts = BTreeMap<(Kind, String), String>;

/// The facts in the text of a `bindings.rs`.
///
/// # Errors
/// It is no Rust, or has something that bindgen does not write.
pub fn read(bindings: &str) -> Result<Facts> {
    let file = syn::parse_file(bindings)?;
    let names = Names::collect(&file.items);
    let mut facts = Facts::new();
    for item in &file.items {
        match item {
            Item::Const(item) if item.ident == "_" => layout(&item.expr, &mut facts)?,
            Item::Const(item) => {
                facts.insert((Kind::Constant, item.ident.to_string()), number(&item.expr)?.to_string());
            }
            Item::Struct(item) => members(&item.ident, &item.fields, &names, &mut facts)?,
            Item::Union(item) => members(&item.ident, &Fields::Named(item.fields.clone()), &names, &mut facts)?,
            Item::ForeignMod(block) => {
                for item in &block.items {
                    if let ForeignItem::Fn(function) = item {
                        let (name, signature) = function_fact(function, &names)?;
                        facts.insert((Kind::Function, name), signature);
                    }
                }
            }
            _ => {}
        }
    }
    for name in names.0.keys().filter(|name| is_public(name)) {
        facts.insert((Kind::Type, name.clone()), names.resolve(name)?);
    }
    Ok(facts)
}

/// Neither the C library's own nor bindgen's.
fn is_public(name: &str) -> bool {
    !name.starts_with('_') && !name.contains("__bindgen")
}

/// Typedefs by name.
struct Names(BTreeMap<String, Type>);

impl Names {
    fn collect(items: &[Item]) -> Names {
        let mut names = BTreeMap::new();
        for item in items {
            match item {
                Item::Type(alias) => {
                    names.insert(alias.ident.to_string(), (*alias.ty).clone());
                }
                Item::Use(item) => {
                    if let Some((from, to)) = renamed(&item.tree) {
                        names.insert(to, from);
                    }
                }
                _ => {}
            }
        }
        Names(names)
    }

    fn resolve(&self, name: &str) -> Result<String> {
        match self.0.get(name) {
            Some(target) => self.text(target),
            None => Ok(on_the_chip(name).to_owned()),
        }
    }

    /// A type as the list writes it.
    fn text(&self, ty: &Type) -> Result<String> {
        Ok(match ty {
            Type::Ptr(pointer) => {
                let mutability =
                    if matches!(pointer.mutability, syn::PointerMutability::Mut(_)) { "mut" } else { "const" };
                format!("*{mutability} {}", self.text(&pointer.elem)?)
            }
            Type::Array(array) => format!("[{}; {}]", self.text(&array.elem)?, number(&array.len)?),
            Type::Never(_) => "never".to_owned(),
            Type::FnPtr(function) => {
                let inputs = function.inputs.iter().map(|input| &input.ty);
                format!("fn{}", self.signature(inputs, function.variadic.is_some(), &function.output)?)
            }
            Type::Path(path) => {
                let last = path.path.segments.last().ok_or("a path without a name")?;
                match &last.arguments {
                    // A pointer to a function: Option<fn>.
                    PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
                        match arguments.args.first() {
                            Some(GenericArgument::Type(inner)) => self.text(inner)?,
                            _ => return Err("an Option of no type".into()),
                        }
                    }
                    _ => self.resolve(&last.ident.to_string())?,
                }
            }
            _ => return Err("a type that bindgen does not write".into()),
        })
    }

    fn signature<'t>(
        &self,
        inputs: impl Iterator<Item = &'t Type>,
        variadic: bool,
        output: &ReturnType,
    ) -> Result<String> {
        let mut parameters = inputs.map(|ty| self.text(ty)).collect::<Result<Vec<_>>>()?;
        if variadic {
            parameters.push("...".to_owned());
        }
        let result = match output {
            ReturnType::Default => String::new(),
            ReturnType::Type(_, ty) => format!(" -> {}", self.text(ty)?),
        };
        Ok(format!("({}){result}", parameters.join(", ")))
    }
}

/// `self::a as b`, which bindgen writes for a typedef of an enumeration.
fn renamed(tree: &syn::UseTree) -> Option<(Type, String)> {
    let syn::UseTree::Path(path) = tree else { return None };
    let syn::UseTree::Rename(rename) = &*path.tree else { return None };
    let from = &rename.ident;
    Some((syn::parse_str(&from.to_string()).ok()?, rename.rename.to_string()))
}

/// C's and Rust's integers, by their width on the chip; any other name stays.
fn on_the_chip(name: &str) -> &str {
    match name {
        "c_char" | "c_uchar" => "u8",
        "c_schar" => "i8",
        "c_short" => "i16",
        "c_ushort" => "u16",
        "c_int" | "c_long" | "isize" => "i32",
        "c_uint" | "c_ulong" | "usize" => "u32",
        "c_longlong" => "i64",
        "c_ulonglong" => "u64",
        "c_void" => "void",
        other => other,
    }
}

/// The name in C and Rust, and the signature with the symbol in front where that is another.
fn function_fact(function: &ForeignItemFn, names: &Names) -> Result<(String, String)> {
    let name = function.sig.ident.to_string();
    let inputs = function.sig.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(typed) => Some(&*typed.ty),
        syn::FnArg::Receiver(_) => None,
    });
    let signature = names.signature(inputs, function.sig.variadic.is_some(), &function.sig.output)?;
    Ok(match link_name(function) {
        Some(symbol) => (name, format!("{symbol}{signature}")),
        None => (name, signature),
    })
}

fn link_name(function: &ForeignItemFn) -> Option<String> {
    function.attrs.iter().find(|attribute| attribute.path().is_ident("link_name")).and_then(|attribute| {
        let Expr::Lit(literal) = &attribute.meta.require_name_value().ok()?.value else { return None };
        let Lit::Str(text) = &literal.lit else { return None };
        Some(text.value().trim_start_matches('\u{1}').to_owned())
    })
}

/// The types of a structure's members; [`layout`] puts their places before them.
fn members(structure: &syn::Ident, fields: &Fields, names: &Names, facts: &mut Facts) -> Result<()> {
    if structure.to_string().starts_with("__Bindgen") {
        return Ok(());
    }
    for field in fields {
        let Some(name) = field.ident.as_ref().map(ToString::to_string) else { continue };
        if name == "_unused" {
            facts.insert((Kind::Structure, structure.to_string()), "declared only".to_owned());
        } else if name != "_bindgen_opaque_blob" {
            facts.entry((Kind::Field, format!("{structure}.{name}"))).or_default().push_str(&names.text(&field.ty)?);
        }
    }
    Ok(())
}

/// The numbers in bindgen's own assertions: `["Size of a"][size_of::<a>() - 4usize];` and the like.
fn layout(expression: &Expr, facts: &mut Facts) -> Result<()> {
    let Expr::Block(block) = expression else { return Ok(()) };
    for statement in &block.block.stmts {
        let Stmt::Expr(Expr::Index(assertion), _) = statement else { continue };
        let (Expr::Array(what), Expr::Binary(difference)) = (&*assertion.expr, &*assertion.index) else { continue };
        let Some(Expr::Lit(what)) = what.elems.first() else { continue };
        let Lit::Str(what) = &what.lit else { continue };
        place(&what.value(), number(&difference.right)?, facts);
    }
    Ok(())
}

fn place(what: &str, number: i128, facts: &mut Facts) {
    if let Some(name) = what.strip_prefix("Size of ") {
        facts.insert((Kind::Structure, name.to_owned()), format!("size {number}"));
    } else if let Some(name) = what.strip_prefix("Alignment of ") {
        facts.entry((Kind::Structure, name.to_owned())).or_default().push_str(&format!(", alignment {number}"));
    } else if let Some(name) = what.strip_prefix("Offset of field: ") {
        let ty = facts.entry((Kind::Field, name.replace("::", "."))).or_default();
        *ty = format!("at {number}, {ty}");
    }
}

/// An integer as bindgen writes it.
fn number(expression: &Expr) -> Result<i128> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(value) => Ok(value.base10_parse()?),
            Lit::Byte(value) => Ok(i128::from(value.value())),
            _ => Err("a constant that is no integer".into()),
        },
        Expr::Unary(negation) if matches!(negation.op, syn::UnOp::Neg(_)) => {
            number(&negation.expr)?.checked_neg().ok_or_else(|| "no such integer".into())
        }
        Expr::Paren(parenthesis) => number(&parenthesis.expr),
        _ => Err("a constant that is no number".into()),
    }
}
