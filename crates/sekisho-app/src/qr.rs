//! QR codes as vectors: a path that a page draws inline and a form draws on paper.

use qrcode::{Color, EcLevel, QrCode, Version};
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::AppError;

/// The largest version that is still read from paper by a hand scanner.
const MAX_VERSION: i16 = 20;
/// Blank modules on each side (ISO/IEC 18004).
const QUIET: usize = 4;

/// A drawn code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Symbol {
    /// Modules on each side, with the blank edge.
    pub size: usize,
    /// SVG path data of the dark modules; a module is one unit.
    pub path: String,
}

impl Symbol {
    /// Draws a text at error correction level M (15 %).
    ///
    /// # Errors
    /// The text is too long.
    pub fn of(text: &str) -> Result<Self, AppError> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(AppError::internal)?;
        if !matches!(code.version(), Version::Normal(v) if v <= MAX_VERSION) {
            return Err(AppError::internal(format!("{} characters are too many for a QR code", text.len())));
        }
        let width = code.width();
        let mut path = String::new();
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                if run.first() == Some(&Color::Dark) {
                    path.push_str(&format!("M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len()));
                }
                x += run.len();
            }
        }
        Ok(Self { size: width + 2 * QUIET, path })
    }

    /// As an SVG file of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        let (n, path) = (self.size, &self.path);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {n} {n}\"><path fill=\"#fff\" d=\"M0 0h{n}v{n}H0z\"/><path d=\"{path}\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finders_stand_in_three_corners_behind_a_blank_edge() {
        let s = Symbol::of("4701").unwrap();
        assert_eq!(s.size, 21 + 8);
        assert!(s.path.starts_with("M4 4h7v1h-7z") && s.path.contains("M18 4h7v1h-7z"), "{}", s.path);
        assert!(s.path.contains("M4 24h7v1h-7z") && s.svg().contains(&s.path));
    }

    #[test]
    fn digits_up_to_version_20_are_drawn_and_no_more() {
        assert_eq!(Symbol::of(&"7".repeat(1600)).unwrap().size, 97 + 8);
        assert!(Symbol::of(&"7".repeat(1601)).is_err());
    }
}
