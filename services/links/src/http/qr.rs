//! QR codes of short URLs, as SVG and as PNG.

use std::fmt::Write as _;

use contracts::links::LinksError;
use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code, as the standard asks for.
const QUIET: usize = 4;
/// The largest picture, in pixels.
pub(super) const PIXELS_MAX: usize = 2_048;

/// The code of a text, with its quiet zone.
pub(super) struct Qr {
    modules: Vec<Color>,
    width: usize,
}

impl Qr {
    /// The code of `text`.
    pub(super) fn of(text: &str) -> Result<Self, LinksError> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)
            .map_err(|_| LinksError::invalid("code", "the short URL is too long for a QR code"))?;
        Ok(Self {
            width: code.width(),
            modules: code.into_colors(),
        })
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| (QUIET..QUIET + self.width).contains(&at);
        inside(x) && inside(y) && self.modules[(y - QUIET) * self.width + x - QUIET] == Color::Dark
    }

    const fn side(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// As SVG: one path, sharp at any size.
    pub(super) fn svg(&self) -> String {
        let side = self.side();
        let mut path = String::new();
        for y in 0..side {
            let mut x = 0;
            while x < side {
                let run = (x..side).take_while(|x| self.is_dark(*x, y)).count();
                if run > 0 {
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run.max(1);
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
        )
    }

    /// As PNG, about `pixels` wide: each module is the same whole number of pixels.
    pub(super) fn png(&self, pixels: usize) -> Result<Vec<u8>, LinksError> {
        let scale = (pixels.min(PIXELS_MAX) / self.side()).max(1);
        let wide = self.side() * scale;
        let mut rows = Vec::with_capacity(wide * wide.div_ceil(8));
        for y in 0..wide {
            let mut row = vec![0xFF_u8; wide.div_ceil(8)];
            for x in (0..wide).filter(|x| self.is_dark(x / scale, y / scale)) {
                row[x / 8] &= !(0x80 >> (x % 8));
            }
            rows.extend_from_slice(&row);
        }
        let side = u32::try_from(wide).unwrap_or(u32::MAX);
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let defect = |_| LinksError::Internal {
            what: "png".to_owned(),
        };
        let mut writer = encoder.write_header().map_err(defect)?;
        writer.write_image_data(&rows).map_err(defect)?;
        writer.finish().map_err(defect)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_show_the_same_modules() {
        let qr = Qr::of("https://go.example/Ab3xYz9").expect("a code");
        let png = qr.png(200).expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .expect("a PNG");
        let info = reader.info();
        assert!(info.width <= 200 && info.width == info.height);
        let scale = info.width as usize / qr.side();
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        let frame = reader.next_frame(&mut pixels).expect("one frame");
        let dark =
            |x: usize, y: usize| pixels[y * frame.line_size + x / 8] & (0x80 >> (x % 8)) == 0;
        for y in 0..qr.side() {
            for x in 0..qr.side() {
                assert_eq!(dark(x * scale, y * scale), qr.is_dark(x, y), "at {x}, {y}");
            }
        }
        assert!(qr.svg().starts_with("<svg ") && !qr.svg().contains("script"));
    }
}
