//! Answers, as bytes of MessagePack or JSON.
//! - A chunk's id goes back byte for byte, as text, whatever its bytes are: that is what senders compare.

use super::frames::Form;
use crate::receive::Broken;
use rmp::encode::{ValueWriteError, write_array_len, write_bin, write_bool, write_map_len, write_str, write_str_len};

/// The acknowledgement of a chunk.
pub(super) fn ack(form: Form, chunk: &[u8]) -> Result<Vec<u8>, Broken> {
    match form {
        Form::Json => Ok(serde_json::json!({ "ack": String::from_utf8_lossy(chunk) }).to_string().into_bytes()),
        Form::Msgpack => written(|out| {
            write_map_len(out, 1)?;
            write_str(out, "ack")?;
            write_str_len(out, u32::try_from(chunk.len()).unwrap_or(u32::MAX))?;
            out.extend_from_slice(chunk);
            Ok(())
        }),
    }
}

/// What the server says first.
pub(super) fn helo(nonce: &[u8], auth: &[u8]) -> Result<Vec<u8>, Broken> {
    written(|out| {
        write_array_len(out, 2)?;
        write_str(out, "HELO")?;
        write_map_len(out, 3)?;
        write_str(out, "nonce")?;
        write_bin(out, nonce)?;
        write_str(out, "auth")?;
        write_bin(out, auth)?;
        write_str(out, "keepalive")?;
        write_bool(out, true).map_err(ValueWriteError::InvalidMarkerWrite)
    })
}

/// What a PING is answered: with host and digest, or why the sender is refused.
pub(super) fn pong(answer: Result<(&str, &str), &str>) -> Result<Vec<u8>, Broken> {
    let (reason, host, digest) = match answer {
        Ok((host, digest)) => ("", host, digest),
        Err(reason) => (reason, "", ""),
    };
    written(|out| {
        write_array_len(out, 5)?;
        write_str(out, "PONG")?;
        write_bool(out, answer.is_ok()).map_err(ValueWriteError::InvalidMarkerWrite)?;
        [reason, host, digest].iter().try_for_each(|text| write_str(out, text))
    })
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> Result<(), ValueWriteError>) -> Result<Vec<u8>, Broken> {
    let mut out = Vec::with_capacity(64);
    write(&mut out).map_err(|error| Broken::new("io", format!("write an answer: {error}")))?;
    Ok(out)
}
