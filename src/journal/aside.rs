//! Setting aside: what is damaged is kept in a file beside its segment, for whoever wants to look.
//! - The file is named by the segment and the place; it appears whole or not at all, and once.
//! - Nobody here removes it again: it may hold what people sent, and goes when an operator deletes it.

use super::files::{File, Files};
use super::segment::Damage;
use std::io;

const COPY_BYTES: u64 = 256 << 10;

/// Copies the damaged bytes to a file beside the segment and names it in `damage`; once is enough.
pub(super) fn set(files: &dyn Files, from: &dyn File, damage: &mut Damage) -> io::Result<()> {
    let name = aside_name(damage);
    if !files.list()?.contains(&name) {
        let copying = format!("{name}.new");
        let copied = copy(files, from, damage, &copying).and_then(|()| files.rename(&copying, &name));
        if let Err(error) = copied {
            // What is left of it would only fill the disk; the copy's failure is the one to tell.
            let _ignored = files.unlink(&copying);
            return Err(error);
        }
        files.sync_folder()?;
    }
    damage.aside = Some(name);
    Ok(())
}

/// Sets a segment aside whole, as the file `damage` is then found in.
pub(super) fn set_whole(files: &dyn Files, damage: &mut Damage) -> io::Result<()> {
    let name = aside_name(damage);
    files.rename(&damage.segment, &name)?;
    files.sync_folder()?;
    damage.aside = Some(name);
    Ok(())
}

/// An empty file `name`, whatever an interrupted attempt has left there.
pub(super) fn create_anew(files: &dyn Files, name: &str) -> io::Result<Box<dyn File>> {
    match files.unlink(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => files.create(name),
    }
}

fn aside_name(damage: &Damage) -> String {
    format!("{}.damaged-{}", damage.segment, damage.offset)
}

fn copy(files: &dyn Files, from: &dyn File, damage: &Damage, name: &str) -> io::Result<()> {
    let (offset, bytes, to) = (damage.offset, damage.bytes, create_anew(files, name)?);
    let mut buffer = vec![0; COPY_BYTES.min(bytes) as usize];
    let mut done = 0;
    while done < bytes {
        let wanted = (bytes - done).min(COPY_BYTES) as usize;
        match from.read_at(&mut buffer[..wanted], offset + done)? {
            0 => break,
            read => {
                to.append(&buffer[..read], done)?;
                done += read as u64;
            }
        }
    }
    to.sync()
}
