//! The seller's logo in the header of documents.

use std::sync::LazyLock;

use typst::{
    foundations::Bytes,
    visualize::{ExchangeFormat, ImageFormat, RasterFormat, VectorFormat},
};

use super::{DocumentError, Template, render, template};

/// An image in PNG, JPEG or SVG format. It is checked when it is configured, so that no document
/// fails because of it.
#[derive(Debug, Clone)]
pub struct Logo(Bytes);

/// Why an image was refused.
#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    /// The file is too large.
    #[error("a logo has at most {} KiB", Logo::MOST_BYTES / 1024)]
    TooLarge,
    /// Another format.
    #[error("a logo must be a PNG, JPEG or SVG image")]
    Format,
    /// The format is detected but the image cannot be decoded.
    #[error("the logo cannot be rendered")]
    Broken(#[source] DocumentError),
}

/// Shows only a logo.
static PROOF: Template =
    LazyLock::new(|| template("proof.typ", "#import \"letter.typ\": emblem\n#emblem(none)"));

impl Logo {
    const MOST_BYTES: usize = 1024 * 1024;

    /// Checks an image by rendering it.
    pub fn new(bytes: Vec<u8>) -> Result<Self, LogoError> {
        if bytes.len() > Self::MOST_BYTES {
            return Err(LogoError::TooLarge);
        }
        match ImageFormat::detect(&bytes) {
            Some(
                ImageFormat::Raster(RasterFormat::Exchange(
                    ExchangeFormat::Png | ExchangeFormat::Jpg,
                ))
                | ImageFormat::Vector(VectorFormat::Svg),
            ) => {}
            Some(ImageFormat::Raster(_) | ImageFormat::Vector(_)) | None => {
                return Err(LogoError::Format);
            }
        }
        let logo = Self(Bytes::new(bytes));
        render(&PROOF, &(), Some(&logo)).map_err(LogoError::Broken)?;
        Ok(logo)
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>"#;
    /// One pixel each.
    const PNG: &str = "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c\
                       4944415478da63e08e0d0700013600c0bcb165c50000000049454e44ae426082";
    const JPEG: &str = "ffd8ffe000104a46494600010100000100010000ffdb00831000500037003c0046003c0032\
                        0050004600410046005a00550050005f007800c800820078006e006e007800f500af00b900\
                        9100c8012200ff0131012c011d00ff011801130140016801cc01860140015401b301590113\
                        011801900221019501b301db01ea020302080203013601810235025d023001f4025801cc01\
                        f9020301efffc1000b080001000101011100ffc40014000100000000000000000000000000\
                        000000ffc40014100100000000000000000000000000000000ffda0008010100003f003fff\
                        d9";
    const GIF: &str =
        "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002014c003b";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    #[test]
    fn is_a_picture() {
        for picture in [bytes(PNG), bytes(JPEG), SVG.into()] {
            let logo = Logo::new(picture.clone()).unwrap();
            assert_eq!(logo.bytes().as_slice(), picture);
        }
    }

    #[test]
    fn other_files_are_refused() {
        for other in [vec![], b"logo".to_vec(), b"%PDF-1.7".to_vec(), bytes(GIF)] {
            assert!(matches!(Logo::new(other), Err(LogoError::Format)));
        }
        let endless = [bytes(PNG), vec![0; Logo::MOST_BYTES]].concat();
        assert!(matches!(Logo::new(endless), Err(LogoError::TooLarge)));
    }

    #[test]
    fn a_broken_picture_is_refused() {
        let linked =
            SVG.replace("<rect", r#"<image href="/etc/passwd" width="9" height="9"/><rect"#);
        for broken in
            [&bytes(PNG)[..50], &bytes(JPEG)[..40], &SVG.as_bytes()[..60], linked.as_bytes()]
        {
            let error = Logo::new(broken.to_vec()).unwrap_err();
            assert!(matches!(error, LogoError::Broken(_)), "{error:?}");
        }
    }
}
