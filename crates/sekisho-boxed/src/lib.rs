//! `#[boxed]` for the public async functions of a crate.
//!
//! The compiler makes a state machine of an `async fn`, and compiles it in the crate that awaits it, not in the one that holds its source. Without
//! boxes all of the use cases, and all of the store below them, would be compiled in the crate of the pages, once more in the program, and once
//! more in every test program; and to prove one handler `Send` the compiler would walk through all of it (`docs/performance.md`, Build).
//! A boxed function gives `Pin<Box<dyn Future + Send>>`: its state machine is compiled once, where it is written.

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::{ToTokens, quote};
use syn::visit_mut::{VisitMut, visit_receiver_mut, visit_type_reference_mut};
use syn::{
    Block, GenericParam, ImplItem, Item, Lifetime, Receiver, ReceiverKind, ReturnType, Signature,
    TypeReference, Visibility, WherePredicate, parse_quote,
};

/// Boxes an async function, or every public async function of an `impl` block. The future borrows all that its arguments borrow.
#[proc_macro_attribute]
pub fn boxed(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(options.into(), item.into()).unwrap_or_else(|e| e.to_compile_error()).into()
}

fn expand(options: Tokens, item: Tokens) -> syn::Result<Tokens> {
    if !options.is_empty() {
        return Err(syn::Error::new_spanned(options, "#[boxed] takes no options"));
    }
    let mut item = syn::parse2::<Item>(item)?;
    let mut found = false;
    match &mut item {
        Item::Fn(f) if f.sig.asyncness.is_some() => {
            rewrite(&mut f.sig, &mut f.block);
            found = true;
        }
        Item::Impl(all) => {
            for of in &mut all.items {
                if let ImplItem::Fn(f) = of
                    && f.sig.asyncness.is_some()
                    && matches!(f.vis, Visibility::Public(_))
                {
                    rewrite(&mut f.sig, &mut f.block);
                    found = true;
                }
            }
        }
        _ => {}
    }
    if found {
        Ok(item.into_token_stream())
    } else {
        Err(syn::Error::new_spanned(item, "#[boxed] found no public async function"))
    }
}

/// Names the lifetimes that have no name: each its own, because a mutable borrow of something that borrows must not last as long as that.
#[derive(Default)]
struct Named {
    /// The new names.
    new: Vec<Lifetime>,
    /// What an unnamed lifetime of the result is; inputs get new names until it is known.
    result: Option<Lifetime>,
}

impl Named {
    fn next(&mut self) -> Lifetime {
        if let Some(of_result) = &self.result {
            return of_result.clone();
        }
        let name = Lifetime::new(&format!("'borrow{}", self.new.len()), Span::call_site());
        self.new.push(name.clone());
        name
    }
}

impl VisitMut for Named {
    fn visit_receiver_mut(&mut self, receiver: &mut Receiver) {
        if let ReceiverKind::Reference(_, lifetime @ None, _) = &mut receiver.kind {
            *lifetime = Some(self.next());
        }
        visit_receiver_mut(self, receiver);
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.next());
        }
        visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.next();
        }
    }
}

fn rewrite(sig: &mut Signature, block: &mut Block) {
    sig.asyncness = None;
    let mut named = Named::default();
    for input in &mut sig.inputs {
        named.visit_fn_arg_mut(input);
    }
    // As without names: the receiver's, or the only one.
    named.result = named.new.first().cloned();
    named.visit_return_type_mut(&mut sig.output);
    for name in named.new.iter().rev() {
        sig.generics.params.insert(0, parse_quote!(#name));
    }
    let bounds: Vec<WherePredicate> = sig
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Lifetime(l) => Some(l.lifetime.to_token_stream()),
            GenericParam::Type(t) => Some(t.ident.to_token_stream()),
            GenericParam::Const(_) => None,
        })
        .map(|name| parse_quote!(#name: 'boxed))
        .collect();
    sig.generics.params.insert(0, parse_quote!('boxed));
    sig.generics.make_where_clause().predicates.extend(bounds);
    let gives = match &sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, gives) => gives.to_token_stream(),
    };
    sig.output = parse_quote!(
        -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = #gives> + ::core::marker::Send + 'boxed>>
    );
    *block = parse_quote!({ ::std::boxed::Box::pin(async move #block) });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: Tokens) -> String {
        expand(Tokens::new(), item).map_or_else(|e| e.to_string(), |t| t.to_string())
    }

    #[test]
    fn each_borrow_has_its_own_name_and_outlives_the_future() {
        let text = expanded(quote! {
            pub async fn f<'a, T: Copy>(c: &mut Conn<'_>, name: &'a str, of: Option<&T>) -> Result<&'a str, E> { g(c).await }
        });
        let wanted = quote! {
            pub fn f<'boxed, 'borrow0, 'borrow1, 'borrow2, 'a, T: Copy>(
                c: &'borrow0 mut Conn<'borrow1>, name: &'a str, of: Option<&'borrow2 T>
            ) -> ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<Output = Result<&'a str, E> > + ::core::marker::Send + 'boxed
            >>
            where 'borrow0: 'boxed, 'borrow1: 'boxed, 'borrow2: 'boxed, 'a: 'boxed, T: 'boxed
            { ::std::boxed::Box::pin(async move { g(c).await }) }
        };
        assert_eq!(text.replace(' ', ""), wanted.to_string().replace(' ', ""));
    }

    #[test]
    fn of_a_block_the_public_functions_are_boxed() {
        let text = expanded(quote! {
            impl Office {
                pub async fn a(self: &Arc<Self>) {}
                pub async fn b(&self, mut n: i64) -> i64 { n += 1; n }
                pub(crate) async fn c(&self) {}
                pub fn d(&self) {}
                pub async fn e(&self, other: &str) -> &str { self.e }
            }
        });
        assert!(text.contains("pub fn a < 'boxed , 'borrow0 > (self : & 'borrow0 Arc < Self >)"), "{text}");
        assert!(text.contains("pub fn b < 'boxed , 'borrow0 > (& 'borrow0 self , mut n : i64)"), "{text}");
        assert!(
            text.contains("pub (crate) async fn c (& self) { }") && text.contains("pub fn d (& self) { }"),
            "{text}"
        );
        assert!(text.contains("Output = & 'borrow0 str"), "{text}");
    }

    #[test]
    fn where_nothing_is_to_box_it_says_so() {
        let says = "#[boxed] found no public async function";
        assert_eq!(
            expanded(quote!(
                pub fn f() {}
            )),
            says
        );
        assert_eq!(expanded(quote!(impl A { async fn f() {} })), says);
        let options = expand(
            quote!(local),
            quote!(
                async fn f() {}
            ),
        )
        .unwrap_err();
        assert_eq!(options.to_string(), "#[boxed] takes no options");
    }
}
