//! The public items of a crate, read from its source.

use super::docs::clean;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, ImplItem, Item, ItemImpl, Type, Visibility};

/// Everything found, in the order of the source.
#[derive(Default)]
pub(crate) struct Source {
    /// The types by their name; the same name may stand in several modules.
    pub(crate) items: BTreeMap<String, Vec<Found>>,
    /// The methods of `impl Passes`.
    pub(crate) methods: Vec<syn::ImplItemFn>,
    /// In which module each of them is, for its types to be found.
    pub(crate) homes: Vec<Home>,
    /// The rows of the macros that define types: `ids!`, `rights!`, `kinds!`, `refusals!`.
    pub(crate) rows: BTreeMap<String, Vec<Row>>,
    /// Every file read.
    pub(crate) files: Vec<PathBuf>,
}

/// A module: the file's own path, and the path under which others name what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) file: Vec<String>,
    pub(crate) public: Vec<String>,
}

/// A type that was found.
pub(crate) struct Found {
    pub(crate) home: Home,
    pub(crate) item: Item,
}

/// A row of a macro: the docs and the name of a variant or a type, and the first text behind it.
pub(crate) struct Row {
    pub(crate) home: Home,
    pub(crate) docs: Vec<String>,
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
    pub(crate) text: Option<String>,
}

/// The macros whose rows define types or variants.
const ROWS: &[&str] = &["ids", "rights", "kinds", "refusals"];

impl Source {
    /// Reads a crate from the folder of its `lib.rs`.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let mut source = Self::default();
        source.file(&folder.join("lib.rs"), folder, &Home::default())?;
        Ok(source)
    }

    /// The item that a name means in a module: one of the same file, else of the same part of the crate, else the
    /// only one there is.
    pub(crate) fn find(&self, name: &str, home: &Home) -> Result<&Found, String> {
        let all = self.items.get(name).map_or(&[][..], Vec::as_slice);
        let near = |same: fn(&Home, &Home) -> bool| {
            let mut near = all.iter().filter(|found| same(&found.home, home));
            near.next().filter(|_| near.next().is_none())
        };
        near(|a, b| a.file == b.file)
            .or_else(|| near(|a, b| a.file.first() == b.file.first()))
            .or_else(|| near(|_, _| true))
            .ok_or_else(|| format!("{name} is {}", if all.is_empty() { "unknown" } else { "several things" }))
    }

    fn file(&mut self, path: &Path, folder: &Path, home: &Home) -> Result<(), String> {
        let fault = |error: &dyn ToString| format!("{}: {}", path.display(), error.to_string());
        let text = fs::read_to_string(path).map_err(|error| fault(&error))?;
        let file = syn::parse_file(&text).map_err(|error| fault(&error))?;
        self.files.push(path.to_owned());
        for item in file.items {
            self.item(item, folder, home)?;
        }
        Ok(())
    }

    fn item(&mut self, item: Item, folder: &Path, home: &Home) -> Result<(), String> {
        let is_pub = |visibility: &Visibility| matches!(visibility, Visibility::Public(_));
        match item {
            Item::Mod(module) if module.content.is_none() && !is_test(&module.attrs) => {
                let name = module.ident.to_string();
                let mut inner = home.clone();
                inner.file.push(name.clone());
                if is_pub(&module.vis) {
                    inner.public.push(name.clone());
                }
                let (alone, below) = (folder.join(format!("{name}.rs")), folder.join(&name));
                let path = if alone.exists() { alone } else { below.join("mod.rs") };
                self.file(&path, &below, &inner)
            }
            Item::Struct(ref it) if is_pub(&it.vis) => self.found(it.ident.to_string(), home, item),
            Item::Enum(ref it) if is_pub(&it.vis) => self.found(it.ident.to_string(), home, item),
            Item::Type(ref it) if is_pub(&it.vis) => self.found(it.ident.to_string(), home, item),
            Item::Impl(block) => {
                self.methods_of(block, home);
                Ok(())
            }
            Item::Macro(call) => {
                let name = call.mac.path.get_ident().map(Ident::to_string).unwrap_or_default();
                if ROWS.contains(&name.as_str()) {
                    let rows = rows.parse2(call.mac.tokens).map_err(|error| format!("{name}!: {error}"))?;
                    let rows = rows.into_iter().map(|row| Row { home: home.clone(), ..row });
                    self.rows.entry(name).or_default().extend(rows);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn found(&mut self, name: String, home: &Home, item: Item) -> Result<(), String> {
        self.items.entry(name).or_default().push(Found { home: home.clone(), item });
        Ok(())
    }

    fn methods_of(&mut self, block: ItemImpl, home: &Home) {
        let on_passes = matches!(&*block.self_ty, Type::Path(path) if path.path.is_ident("Passes"));
        if !on_passes || block.trait_.is_some() {
            return;
        }
        for item in block.items {
            if let ImplItem::Fn(method) = item
                && matches!(method.vis, Visibility::Public(_))
            {
                self.methods.push(method);
                self.homes.push(home.clone());
            }
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg"))
}

/// `#[doc…] Name { field: Type, … } … "text" …;`, again and again.
fn rows(input: ParseStream<'_>) -> syn::Result<Vec<Row>> {
    let mut rows = Vec::new();
    while !input.is_empty() {
        let docs = clean(&input.call(Attribute::parse_outer)?);
        let name = input.parse::<Ident>()?.to_string();
        let mut row = Row { home: Home::default(), docs, name, values: Vec::new(), text: None };
        if input.peek(syn::token::Brace) {
            let content;
            syn::braced!(content in input);
            let fields = content.parse_terminated(syn::Field::parse_named, syn::Token![,])?;
            row.values = fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect();
        }
        while !input.peek(syn::Token![;]) {
            match input.parse::<proc_macro2::TokenTree>()? {
                proc_macro2::TokenTree::Literal(literal) if row.text.is_none() => {
                    row.text =
                        syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value());
                }
                _ => {}
            }
        }
        input.parse::<syn::Token![;]>()?;
        rows.push(row);
    }
    Ok(rows)
}
