//! Reads rows out of a file as it comes in.

use contracts::links::{ImportReport, ImportRow, LinksError};

use super::super::splitter::{RECORD_BYTES_MAX, Splitter};
use super::{Format, unreadable};
use crate::domain::bookmarks::{self, Piece};
use crate::domain::json;
use crate::domain::sheet::Columns;

/// The most folders within each other.
const DEPTH_MAX: usize = 16;
const NO_TEXT: &str = "the row is no UTF-8 text";

/// Reads rows.
pub(super) struct Reader {
    format: Format,
    splitter: Splitter,
    domain: Option<String>,
    tag: Option<String>,
    /// The lines before what comes next.
    lines: u64,
    columns: Option<Columns>,
    /// The folders around what comes next.
    folders: Vec<String>,
}

impl Reader {
    /// A reader of files of this form.
    pub(super) fn new(format: Format, domain: Option<String>, tag: Option<String>) -> Self {
        let splitter = Splitter::new(format == Format::Csv);
        let folders = Vec::new();
        Self {
            format,
            splitter,
            domain,
            tag,
            lines: 0,
            columns: None,
            folders,
        }
    }

    /// Takes more of the file; answers the rows that are whole.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        report: &mut ImportReport,
    ) -> Result<Vec<ImportRow>, LinksError> {
        let records = self
            .splitter
            .push(bytes)
            .map_err(|_| LinksError::TooLarge {
                detail: format!(
                    "line {}: a row has at most {RECORD_BYTES_MAX} bytes",
                    self.lines + 1
                ),
            })?;
        Ok(self.read(&records, report))
    }

    /// The last row, if it has no line break.
    pub(super) fn finish(mut self, report: &mut ImportReport) -> Vec<ImportRow> {
        let splitter = std::mem::replace(&mut self.splitter, Splitter::new(false));
        self.read(&splitter.finish(), report)
    }

    fn read(&mut self, records: &[u8], report: &mut ImportReport) -> Vec<ImportRow> {
        if records.is_empty() {
            return Vec::new();
        }
        let mut rows = match self.format {
            Format::Csv => self.read_table(records, report),
            Format::Json => self.read_lines(records, report),
            Format::Bookmarks => self.read_bookmarks(&String::from_utf8_lossy(records)),
        };
        for row in &mut rows {
            row.link.domain = row.link.domain.take().or_else(|| self.domain.clone());
            row.link.tags.extend(self.tag.clone());
        }
        rows
    }

    fn read_table(&mut self, records: &[u8], report: &mut ImportReport) -> Vec<ImportRow> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(records);
        let mut rows = Vec::new();
        let before = self.lines;
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    unreadable(report, before + line, NO_TEXT.to_owned());
                    continue;
                }
            };
            let line = before + record.position().map_or(1, csv::Position::line);
            let columns = match &self.columns {
                Some(columns) => columns,
                None => {
                    let (columns, head) = Columns::of_head(record.iter());
                    let columns = self.columns.insert(columns);
                    if head {
                        continue;
                    }
                    columns
                }
            };
            match columns.link(record.iter()) {
                Ok(link) => rows.push(ImportRow { line, link }),
                Err(detail) => unreadable(report, line, detail),
            }
        }
        self.lines += records.iter().filter(|b| **b == b'\n').count() as u64;
        rows
    }

    fn read_lines(&mut self, records: &[u8], report: &mut ImportReport) -> Vec<ImportRow> {
        let mut rows = Vec::new();
        for record in records.split_inclusive(|b| *b == b'\n') {
            self.lines += 1;
            let line = self.lines;
            let text = std::str::from_utf8(record).map_err(|_| NO_TEXT.to_owned());
            match text.and_then(json::link) {
                Ok(Some(link)) => rows.push(ImportRow { line, link }),
                Ok(None) => {}
                Err(detail) => unreadable(report, line, detail),
            }
        }
        rows
    }

    fn read_bookmarks(&mut self, text: &str) -> Vec<ImportRow> {
        let mut rows = Vec::new();
        for line in text.lines() {
            self.lines += 1;
            for piece in bookmarks::pieces(line) {
                match piece {
                    Piece::Folder(name) if self.folders.len() < DEPTH_MAX => {
                        self.folders.push(name)
                    }
                    Piece::Folder(_) => {}
                    Piece::Close => drop(self.folders.pop()),
                    Piece::Link(mut link) => {
                        // `place:` and `javascript:` entries are the browser's own.
                        if link.url.starts_with("http") {
                            link.tags.extend(
                                self.folders
                                    .iter()
                                    .map(|f| tag_of(f))
                                    .filter(|t| !t.is_empty()),
                            );
                            rows.push(ImportRow {
                                line: self.lines,
                                link: *link,
                            });
                        }
                    }
                }
            }
        }
        rows
    }
}

/// The name of a folder as a tag.
fn tag_of(folder: &str) -> String {
    let plain = folder.chars().filter(|c| !c.is_control() && *c != ',');
    plain.take(64).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: Format, text: &str) -> (Vec<ImportRow>, ImportReport) {
        let mut reader = Reader::new(format, None, Some("in".to_owned()));
        let mut report = ImportReport::default();
        let mut rows = Vec::new();
        for piece in text.as_bytes().chunks(7) {
            rows.extend(reader.push(piece, &mut report).expect("short rows"));
        }
        rows.extend(reader.finish(&mut report));
        (rows, report)
    }

    #[test]
    fn a_table_comes_in_pieces_and_faults_name_their_line() {
        let text = "url,title,max_clicks\nhttps://a.example,\"two\nlines\",\n,no url,\nhttps://b.example,b,x\nhttps://c.example,c,3";
        let (rows, report) = read(Format::Csv, text);
        let found: Vec<(u64, &str)> = rows.iter().map(|r| (r.line, r.link.url.as_str())).collect();
        assert_eq!(found, [(2, "https://a.example"), (6, "https://c.example")]);
        let lines: Vec<u64> = report.errors.iter().map(|e| e.line).collect();
        assert_eq!(lines, [4, 5]);
        assert_eq!(rows[0].link.tags, ["in"]);
    }

    #[test]
    fn json_is_read_line_by_line() {
        let text =
            "{\"url\":\"https://a.example\"}\n\n{\"url\":1}\n{\"url\":\"https://b.example\"}";
        let (rows, report) = read(Format::Json, text);
        let found: Vec<u64> = rows.iter().map(|r| r.line).collect();
        assert_eq!(
            (found, report.errors[0].line, report.failed),
            (vec![1, 4], 3, 1)
        );
    }

    #[test]
    fn folders_of_bookmarks_become_tags() {
        let text = "<DL><p>\n<DT><H3>Work</H3>\n<DL><p>\n<DT><A HREF=\"https://a.example\">A</A>\n</DL><p>\n<DT><A HREF=\"https://b.example\">B</A>\n<DT><A HREF=\"javascript:1\">J</A>\n</DL><p>\n";
        let (rows, _) = read(Format::Bookmarks, text);
        let tags: Vec<&[String]> = rows.iter().map(|r| r.link.tags.as_slice()).collect();
        assert_eq!(
            tags,
            [
                &["Work".to_owned(), "in".to_owned()][..],
                &["in".to_owned()][..]
            ]
        );
    }
}
