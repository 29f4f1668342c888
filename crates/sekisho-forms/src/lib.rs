//! Printed forms: typst templates to PDF.
