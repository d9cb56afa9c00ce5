//! Bytes in any usual encoding, gzip or not → UTF-8, chunk by chunk.

use super::error::{FileKind, ImportError};
use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;
use std::io::{Cursor, Read};

/// The most that a text file may hold, unpacked.
pub(super) const TEXT_MAX: u64 = 2 << 30;
/// So much of the beginning decides about the encoding.
const PREFIX: u64 = 64 << 10;
const CHUNK: usize = 64 << 10;

/// A stream of UTF-8.
pub(super) struct Decoded {
    input: Box<dyn Read + Send>,
    encoding: &'static Encoding,
    decoder: Decoder,
    chunk: Vec<u8>,
    start: usize,
    end: usize,
    taken: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// All input is read; the decoder may still hold a rest.
    InputEnded,
    Ended,
}

impl Decoded {
    /// Unpacks where asked, and finds the encoding where none is given.
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        gzip: bool,
        encoding: Option<&'static Encoding>,
    ) -> Result<Self, ImportError> {
        let mut input: Box<dyn Read + Send> = if gzip { Box::new(MultiGzDecoder::new(input)) } else { input };
        let mut prefix = Vec::new();
        let read = input.by_ref().take(PREFIX).read_to_end(&mut prefix);
        read.map_err(|source| ImportError::Read { line: 1, source })?;
        let encoding = match encoding {
            Some(encoding) => encoding,
            None => recognise(&prefix)?,
        };
        Ok(Self {
            input: Box::new(Cursor::new(prefix).chain(input)),
            encoding,
            decoder: encoding.new_decoder_with_bom_removal(),
            chunk: vec![0; CHUNK],
            start: 0,
            end: 0,
            taken: 0,
            state: State::Open,
        })
    }

    /// Appends more text to `into`; false at the end. `line` is the line that is being read, for messages.
    pub(super) fn fill(&mut self, into: &mut Vec<u8>, line: u64) -> Result<bool, ImportError> {
        if self.state == State::Ended {
            return Ok(false);
        }
        let length = into.len();
        loop {
            if self.start == self.end && self.state == State::Open {
                self.read_chunk(line)?;
            }
            let last = self.state == State::InputEnded;
            let source = self.chunk.get(self.start..self.end).expect("start and end lie within the chunk");
            let room = self.decoder.max_utf8_buffer_length_without_replacement(source.len()).unwrap_or(CHUNK * 3);
            let before = into.len();
            into.resize(before + room, 0);
            let target = into.get_mut(before..).expect("just made longer");
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(source, target, last);
            into.truncate(before + written);
            self.start += read;
            match result {
                DecoderResult::InputEmpty if last => {
                    self.state = State::Ended;
                    return Ok(into.len() > length);
                }
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let breaks = into.get(length..).unwrap_or(&[]).iter().filter(|b| **b == b'\n').count();
                    let line = line.saturating_add(u64::try_from(breaks).unwrap_or(0));
                    self.state = State::Ended;
                    return Err(ImportError::Encoding { line, encoding: self.encoding.name().into() });
                }
            }
            if into.len() > length {
                return Ok(true);
            }
        }
    }

    fn read_chunk(&mut self, line: u64) -> Result<(), ImportError> {
        let read = loop {
            match self.input.read(&mut self.chunk) {
                Ok(read) => break read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    self.state = State::Ended;
                    return Err(ImportError::Read { line, source });
                }
            }
        };
        (self.start, self.end) = (0, read);
        if read == 0 {
            self.state = State::InputEnded;
        }
        self.taken += u64::try_from(read).unwrap_or(u64::MAX);
        if self.taken > TEXT_MAX {
            self.state = State::Ended;
            return Err(ImportError::UnpacksTooLarge { max_bytes: TEXT_MAX });
        }
        Ok(())
    }
}

/// The encoding by mark, else UTF-8 where it is, else GB18030 (which holds GBK) where it is.
fn recognise(prefix: &[u8]) -> Result<&'static Encoding, ImportError> {
    if prefix.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Ok(UTF_8);
    }
    if prefix.starts_with(&[0xFF, 0xFE]) {
        return Ok(UTF_16LE);
    }
    if prefix.starts_with(&[0xFE, 0xFF]) {
        return Ok(UTF_16BE);
    }
    if prefix.iter().filter(|b| **b == 0).count() > prefix.len() / 4 {
        return Err(ImportError::KindNotRead(FileKind::Binary));
    }
    let Err(error) = std::str::from_utf8(prefix) else { return Ok(UTF_8) };
    // A character cut by the end of the prefix is no fault.
    if error.error_len().is_none() {
        return Ok(UTF_8);
    }
    let valid = prefix.get(..error.valid_up_to()).unwrap_or(&[]);
    let line = 1 + u64::try_from(valid.iter().filter(|b| **b == b'\n').count()).unwrap_or(0);
    // GB18030 that passes for UTF-8 over several letters is rarer than UTF-8 with a damaged letter, which must not become other letters.
    let letters = std::str::from_utf8(valid).map_or(0, |text| text.chars().filter(|c| !c.is_ascii()).count());
    if letters >= 8 {
        return Err(ImportError::Encoding { line, encoding: UTF_8.name().into() });
    }
    let mut decoder = GB18030.new_decoder_without_bom_handling();
    let mut sink = vec![0; prefix.len().saturating_mul(3).saturating_add(16)];
    match decoder.decode_to_utf8_without_replacement(prefix, &mut sink, false).0 {
        DecoderResult::InputEmpty => Ok(GB18030),
        DecoderResult::OutputFull | DecoderResult::Malformed(..) => Err(ImportError::EncodingUnknown { line }),
    }
}
