//! What a template can see: the templates of its pack and the data, all in memory.

use std::collections::{BTreeMap, HashMap};

use typst::diag::{FileError, FileResult, PackageError};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::{FormError, fonts};

/// Extension of a template file.
const EXTENSION: &str = ".typ";
/// Where the template reads the facts.
const DATA: &str = "data.json";
/// Where the template reads which characters of the facts have no shape in the embedded fonts.
const UNPRINTABLE: &str = "unprintable.json";

/// The closed world of one rendering.
pub(crate) struct FormWorld {
    library: LazyHash<Library>,
    main: FileId,
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
}

impl FormWorld {
    /// `templates` by file stem; `main` is one of them.
    pub(crate) fn new(
        templates: &BTreeMap<String, String>,
        main: &str,
        data: String,
        unprintable: String,
    ) -> Result<Self, FormError> {
        if !templates.contains_key(main) {
            let known = templates.keys().cloned().collect();
            return Err(FormError::NoTemplate { name: main.to_owned(), known });
        }
        let mut sources = HashMap::with_capacity(templates.len());
        for (stem, text) in templates {
            let id = file_id(&format!("{stem}{EXTENSION}"))?;
            sources.insert(id, Source::new(id, text.clone()));
        }
        let mut files = HashMap::with_capacity(2);
        files.insert(file_id(DATA)?, Bytes::from_string(data));
        files.insert(file_id(UNPRINTABLE)?, Bytes::from_string(unprintable));
        Ok(Self {
            library: LazyHash::new(Library::default()),
            main: file_id(&format!("{main}{EXTENSION}"))?,
            sources,
            files,
        })
    }
}

/// The id of a file at the root of the closed world.
fn file_id(name: &str) -> Result<FileId, FormError> {
    let path = VirtualPath::new(name).map_err(|_| FormError::BadName { name: name.to_owned() })?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

/// Why a file that is not in this world cannot be had.
fn refusal(id: FileId) -> FileError {
    match id.get().root() {
        VirtualRoot::Package(spec) => FileError::Package(PackageError::NotFound(spec.clone())),
        VirtualRoot::Project => FileError::NotFound(id.get().vpath().get_with_slash().into()),
    }
}

impl World for FormWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        fonts::book()
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.get(&id).cloned().ok_or_else(|| refusal(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| refusal(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        fonts::font(index)
    }

    /// No clock: a form that prints today's date would differ each time. Dates come with the data.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
