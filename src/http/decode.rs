//! Content codings: gzip, deflate (zlib, and raw as some senders mean it), zstd, br.
//! - What comes out is counted as it comes out and stops at the limit; nothing is trusted about sizes.
//! - Several gzip members or zstd frames one after another are one body; a torn one is an error, not a shorter body.
//! - Absent: codings one upon another; they are refused as unknown.

use super::Problem;
use super::body::Held;
use super::problem::Type;
use axum::http::{HeaderMap, header};
use std::io::Read;

/// Window a zstd frame may ask for: 8 MiB, what RFC 9659 allows in HTTP.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How many bytes come out at once.
const STEP_BYTES: usize = 64 * 1024;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Deflate,
    Zstd,
    Brotli,
}

/// The coding that `Content-Encoding` names.
pub(super) fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let mut given = headers.get_all(header::CONTENT_ENCODING).iter();
    let Some(name) = given.next() else { return Ok(Coding::Identity) };
    let name = name.to_str().unwrap_or("?").trim();
    let table = [
        ("identity", Coding::Identity),
        ("", Coding::Identity),
        ("gzip", Coding::Gzip),
        ("x-gzip", Coding::Gzip),
        ("deflate", Coding::Deflate),
        ("zstd", Coding::Zstd),
        ("br", Coding::Brotli),
    ];
    let found = table.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    match (found, given.next()) {
        (Some((_, coding)), None) => Ok(*coding),
        _ => Err(Problem::new(
            Type::UnsupportedEncoding,
            "content-encoding is one of gzip, deflate, zstd, br, and only one of them",
        )),
    }
}

/// Undoes the coding; more than `bytes_max` bytes, or bytes that are not so coded, are a problem.
pub(super) fn decode(coding: Coding, body: &[u8], bytes_max: usize, held: &mut Held) -> Result<Vec<u8>, Problem> {
    let mut decoder: Box<dyn Read + '_> = match coding {
        Coding::Identity => Box::new(body),
        Coding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(body)),
        Coding::Deflate if is_zlib(body) => Box::new(flate2::bufread::ZlibDecoder::new(body)),
        Coding::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(body)),
        Coding::Zstd => Box::new(zstd_decoder(body).map_err(|error| torn(coding, &error))?),
        Coding::Brotli => Box::new(brotli_decompressor::Decompressor::new(body, 4096)),
    };
    let mut out = Vec::new();
    loop {
        let room = (bytes_max + 1 - out.len()).min(STEP_BYTES);
        held.more(room)?;
        let read = (&mut decoder).take(room as u64).read_to_end(&mut out).map_err(|error| torn(coding, &error))?;
        if out.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        if read < room {
            return Ok(out);
        }
    }
}

/// The problem of a body beyond the limit.
pub(super) fn too_large(bytes_max: usize) -> Problem {
    Problem::new(Type::TooLarge, format!("the body is larger than {bytes_max} bytes, counted after decompression"))
}

fn zstd_decoder(body: &[u8]) -> std::io::Result<zstd::stream::read::Decoder<'_, &[u8]>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

fn torn(coding: Coding, error: &std::io::Error) -> Problem {
    let name = match coding {
        Coding::Identity => "identity",
        Coding::Gzip => "gzip",
        Coding::Deflate => "deflate",
        Coding::Zstd => "zstd",
        Coding::Brotli => "br",
    };
    Problem::new(Type::InvalidInput, format!("the body is not whole {name}: {error}"))
}

/// Whether the first two bytes are a zlib header (RFC 1950) and not the start of bare deflate data.
fn is_zlib(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 0x0f == 8 && method >> 4 <= 7 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
    }
}
