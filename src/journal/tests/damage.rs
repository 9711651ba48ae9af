//! Torn tails and flipped bits, at every byte: found and told, never a wrong payload, never more lost than was hit.

use super::faulty::Random;
use super::*;
use crate::error::Kind;
use crate::journal::batch::Payloads;
use crate::journal::frame::{HEAD_BYTES, Head};
use crate::journal::record::{Decoder, Encoder};
use proptest::prelude::*;

const SEGMENT: &str = "00000000000000000000.journal";

/// One large segment of `count` records, its bytes, its payloads, and where its records begin.
fn segment_of(count: u64) -> (Faulty, Vec<u8>, Entries, Vec<usize>) {
    let (files, entries) = folder_of(count, Options { segment_bytes_max: 1 << 19, ..tiny() });
    let bytes = files.bytes_of(SEGMENT);
    let starts: Vec<usize> = memchr::memmem::find_iter(&bytes, b"MtrJ").collect();
    assert_eq!(starts.len() as u64, count);
    (files, bytes, entries, starts)
}

fn large() -> Options {
    Options { segment_bytes_max: 1 << 19, ..tiny() }
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_said_so() {
    let (files, bytes, entries, starts) = segment_of(4);
    let last = starts[3];
    for end in last..bytes.len() {
        for zeros in [0, 50] {
            let torn = [&bytes[..end], &vec![0; if end == last { zeros } else { 0 }]].concat();
            let folder = files.with(SEGMENT, &torn);
            let (journal, recovery) = open_in(&folder, large());
            let cut = recovery.cut.as_ref().map(|cut| (cut.offset, cut.bytes));
            let expected = (torn.len() > last).then(|| (last as u64, (torn.len() - last) as u64));
            assert_eq!((cut, recovery.damaged.len(), recovery.end), (expected, 0, 6), "at {end}: {recovery}");
            assert_eq!(append(&journal, &[b"after"]).unwrap(), 6..7);
            let mut left = entries[..6].to_vec();
            left.push((6, b"after".to_vec()));
            assert_eq!(read_whole(&journal, 0), left, "at {end}");
            journal.close();
            assert_eq!(open_in(&folder, large()).1.cut, None);
        }
    }
}

#[test]
fn a_tail_with_a_sector_that_was_never_written_is_cut_and_said_so() {
    let files = Faulty::default();
    let options = Options { record_bytes_max: 8 << 10, segment_bytes_max: 1 << 19, ..tiny() };
    let (journal, _) = open_in(&files, options.clone());
    // Nothing that zstd makes smaller.
    let mut random = Random(7);
    let payload: Vec<u8> = std::iter::repeat_with(|| random.below(256) as u8).take(5000).collect();
    append(&journal, &[b"before"]).unwrap();
    append(&journal, &[&payload]).unwrap();
    journal.close();
    let bytes = files.bytes_of(SEGMENT);
    let last = memchr::memmem::rfind(&bytes, b"MtrJ").unwrap();
    for from in std::iter::once(last).chain((512..bytes.len() - 16).step_by(512)) {
        let mut torn = bytes.clone();
        let end = (from / 512 * 512 + 512).min(torn.len());
        torn[from..end].fill(0);
        let (journal, recovery) = open_in(&files.with(SEGMENT, &torn), options.clone());
        let cut = recovery.cut.as_ref().map(|cut| cut.offset);
        assert_eq!((cut, recovery.damaged.len(), recovery.end), (Some(last as u64), 0, 1), "at {from}: {recovery}");
        assert_eq!(append(&journal, &[b"after"]).unwrap(), 1..2);
        assert_eq!(read_whole(&journal, 0), [(0, b"before".to_vec()), (1, b"after".to_vec())]);
    }
}

#[test]
fn a_group_of_many_records_that_a_power_loss_makes_holes_in_is_a_torn_tail() {
    let files = Faulty::default();
    let options = Options { record_bytes_max: 8 << 10, segment_bytes_max: 1 << 19, ..tiny() };
    let (journal, _) = open_in(&files, options.clone());
    let mut random = Random(8);
    let payload: Vec<u8> = std::iter::repeat_with(|| random.below(256) as u8).take(5000).collect();
    files.shut_gate();
    let caller = std::thread::spawn({
        let batch: Batch = [&payload[..]; 3].into_iter().collect();
        move || runtime().block_on(journal.append(batch))
    });
    files.until_a_sync_waits();
    // A sector of the first record did not reach the disk; whatever is behind it did.
    let mut torn = files.bytes_of(SEGMENT);
    torn[1024..1536].fill(0);
    files.open_gate();
    assert_eq!(caller.join().unwrap().unwrap(), 0..3);
    let (_, recovery) = open_in(&files.with(SEGMENT, &torn), options);
    assert_eq!((recovery.damaged.len(), recovery.end), (0, 0), "{recovery}");
}

/// What was read is what was written, at its position; whether all of it was.
fn assert_nothing_wrong(read: &Entries, written: &Entries, place: &str) -> bool {
    assert!(read.iter().all(|entry| written.contains(entry)), "{place}: {read:?}");
    assert!(read.is_sorted_by(|one, next| one.0 < next.0), "{place}");
    read == written
}

#[test]
fn a_bit_flipped_anywhere_is_found_and_costs_one_record() {
    let (files, bytes, entries, starts) = segment_of(4);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let folder = files.with(SEGMENT, &flipped);
            let (journal, recovery) = open_in(&folder, large());
            let (read, errors) = read(&journal, 0);
            let place = format!("byte {at} bit {bit}: {recovery} {errors:?}");
            assert!(!assert_nothing_wrong(&read, &entries, &place), "{place}");
            assert_eq!((read.len(), recovery.damaged.len(), recovery.cut), (6, 1, None), "{place}");
            let record = starts.iter().rposition(|&start| start <= at).unwrap();
            assert_eq!(recovery.damaged[0].offset, starts[record] as u64, "{place}");
            let aside = recovery.damaged[0].aside.as_ref().unwrap();
            let end = starts.get(record + 1).copied().unwrap_or(bytes.len());
            assert_eq!(folder.bytes_of(aside), flipped[starts[record]..end], "{place}");
            // Positions go on where they would have, unless the last record does not even tell its own.
            let end = if record == 3 && at < starts[3] + HEAD_BYTES { 6 } else { 8 };
            assert_eq!(append(&journal, &[b"next"]).unwrap(), end..end + 1, "{place}");
            // A follower finds the others missing.
            assert_eq!(journal.losses().len(), usize::from(end == 6), "{place}");
        }
    }
}

#[test]
fn what_a_follower_holds_is_no_loss() {
    let (files, mut bytes, _, starts) = segment_of(4);
    bytes[starts[3] + 4] ^= 1;
    for (held, losses) in [(0, 1), (6, 1), (7, 0), (8, 0)] {
        let options = Options { position_min: held, ..large() };
        let (journal, recovery) = open_in(&files.with(SEGMENT, &bytes), options);
        assert_eq!(journal.losses().len(), losses, "{held} are held: {recovery}");
    }
}

#[test]
fn damage_while_running_is_an_error_once_and_reading_goes_on() {
    let (files, bytes, entries, starts) = segment_of(4);
    for at in 0..bytes.len() {
        let folder = files.after_kill();
        let (journal, _) = open_in(&folder, large());
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        folder.replace(SEGMENT, &flipped);
        append(&journal, &[b"next"]).unwrap();
        let (read, errors) = read(&journal, 0);
        let record = starts.iter().rposition(|&start| start <= at).unwrap();
        let mut left = entries.clone();
        left.drain(record * 2..record * 2 + 2);
        left.push((8, b"next".to_vec()));
        assert_eq!(read, left, "byte {at}");
        let [JournalError::Damaged(damage)] = &errors[..] else { panic!("byte {at}: {errors:?}") };
        let positions = record as u64 * 2..record as u64 * 2 + 2;
        assert_eq!((&damage.positions, damage.offset), (&positions, starts[record] as u64), "byte {at}");
        assert!(folder.names().contains(damage.aside.as_ref().unwrap()));
        assert_eq!(errors[0].kind(), Kind::Corrupt);
    }
}

#[test]
fn damage_in_an_older_segment_is_found_by_reading_or_by_recovery() {
    let (files, entries) = folder_of(40, tiny());
    let segments = files.names();
    let mut bytes = files.bytes_of(&segments[1]);
    bytes[HEAD_BYTES + 1] ^= 1;
    let folder = files.with(&segments[1], &bytes);
    for (recovery_bytes_max, told_at_open) in [(u64::MAX, 1), (1, 0)] {
        let (journal, recovery) = open_in(&folder, Options { recovery_bytes_max, ..tiny() });
        assert_eq!((recovery.damaged.len(), recovery.end), (told_at_open, 80));
        let (read, errors) = read(&journal, 0);
        assert_eq!((read.len(), errors.len()), (78, 1), "{errors:?}");
        assert_nothing_wrong(&read, &entries, "older segment");
    }
}

#[test]
fn a_segment_that_is_gone_or_short_is_told_with_its_positions() {
    let (files, entries) = folder_of(40, tiny());
    let segments = files.names();
    let starts: Vec<u64> = segments.iter().map(|name| name[..20].parse().unwrap()).collect();
    let gone = files.after_kill();
    crate::journal::files::Files::unlink(&gone, &segments[1]).unwrap();
    let whole = files.bytes_of(&segments[1]);
    // While the journal runs, too.
    let (journal, _) = open_in(&files.after_kill(), tiny());
    crate::journal::files::Files::unlink(&*journal.owner.shared.files, &segments[1]).unwrap();
    let (_, errors) = read(&journal, 0);
    assert!(matches!(errors[..], [JournalError::Missing { from, to }] if (from, to) == (starts[1], starts[2])));
    let short = files.with(&segments[1], &whole[..whole.len() - 3]);
    for (folder, bytes_max) in [(&gone, u64::MAX), (&gone, 1), (&short, u64::MAX), (&short, 1)] {
        let (journal, recovery) = open_in(folder, Options { recovery_bytes_max: bytes_max, ..tiny() });
        let (read, errors) = read(&journal, 0);
        assert_eq!(errors.len(), 1, "{errors:?}");
        if bytes_max > 1 {
            assert_eq!(recovery.damaged[0].positions.end, starts[2], "{recovery}");
        }
        assert!(!assert_nothing_wrong(&read, &entries, "gone"));
        assert_eq!(read.last(), entries.last());
    }
}

#[test]
fn a_record_inside_a_payload_is_not_taken_for_one() {
    let mut encoder = Encoder::new(256).unwrap();
    encoder.push(b"forged");
    let forged = encoder.record(2).unwrap().placed_at(0).to_vec();
    let mut noise = Random(3);
    // Too random to be compressed, so the payload lies in the file as it is.
    let noise: Vec<u8> = (0..60).map(|_| noise.below(256) as u8).collect();
    let payload = [&noise[..], &forged].concat();
    let files = Faulty::default();
    let (journal, _) = open_in(&files, large());
    append(&journal, &[b"one"]).unwrap();
    append(&journal, &[&payload]).unwrap();
    append(&journal, &[b"three"]).unwrap();
    journal.close();
    let mut bytes = files.bytes_of(SEGMENT);
    let place = memchr::memmem::find(&bytes, &forged).expect("the payload is stored as it is");
    let head = bytes[..place].windows(4).rposition(|window| window == b"MtrJ").unwrap();
    bytes[head] ^= 1;
    let (journal, recovery) = open_in(&files.with(SEGMENT, &bytes), large());
    let (read, _) = read(&journal, 0);
    assert_eq!(read, [(0, b"one".to_vec()), (2, b"three".to_vec())], "{recovery}");
}

#[test]
fn a_newer_format_is_refused_not_set_aside() {
    let (files, mut bytes, _, starts) = segment_of(2);
    let offset = starts[1];
    bytes[offset + 4] = 2;
    let crc = crc32c::crc32c_append(crc32c::crc32c(&(offset as u64).to_le_bytes()), &bytes[offset..offset + 32]);
    bytes[offset + 32..offset + 36].copy_from_slice(&crc.to_le_bytes());
    let folder = files.with(SEGMENT, &bytes);
    let error = Journal::open_in(Arc::new(folder.clone()), None, large()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("format version 2, this build reads 1"), "{error}");
    assert_eq!(folder.bytes_of(SEGMENT), bytes);
}

#[test]
fn a_first_record_damaged_beyond_reading_is_set_aside_with_its_segment() {
    let (files, mut bytes, ..) = segment_of(1);
    bytes[HEAD_BYTES] ^= 1;
    let folder = files.with(SEGMENT, &bytes);
    let (journal, recovery) = open_in(&folder, large());
    assert_eq!((recovery.damaged.len(), recovery.first, recovery.end), (1, 2, 2), "{recovery}");
    assert_eq!(folder.bytes_of(&format!("{SEGMENT}.damaged-0")), bytes);
    assert_eq!(append(&journal, &[b"next"]).unwrap(), 2..3);
    assert_eq!(read_whole(&journal, 2).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn payloads_come_back_as_they_went_in(payloads: Vec<Vec<u8>>, first in 0..1u64 << 60, offset: u64) {
        prop_assume!(!payloads.is_empty());
        let mut encoder = Encoder::new(64 << 20).unwrap();
        payloads.iter().for_each(|payload| encoder.push(payload));
        let bytes = encoder.record(first).unwrap().placed_at(offset).to_vec();
        let head = Head::read(bytes.first_chunk().unwrap(), offset).unwrap();
        prop_assert_eq!((head.first, head.end()), (first, first + payloads.len() as u64));
        prop_assert!(head.vouches_for(&bytes[HEAD_BYTES..]));
        let read = Decoder::new().unwrap().payloads(&head, &bytes[HEAD_BYTES..]).unwrap();
        let block = Block::new(first, Arc::new(read), 0..payloads.len());
        prop_assert!(block.iter().eq(payloads.iter().map(Vec::as_slice)));
        prop_assert!(Head::read(bytes.first_chunk().unwrap(), offset.wrapping_add(1)).is_err());
    }

    #[test]
    fn lengths_that_lie_give_nothing(count in 1u32.., raw_bytes: u32, lengths: Vec<u32>, rest: Vec<u8>) {
        let raw: Vec<u8> = lengths.iter().flat_map(|length| length.to_le_bytes()).chain(rest).collect();
        let body = zstd::bulk::compress(&raw, 1).unwrap();
        for (count, raw_bytes) in [(count, raw_bytes), (count % 8 + 1, raw.len() as u32)] {
            let head = Head { first: 0, count, body_bytes: body.len() as u32, raw_bytes, body_crc: 0 };
            let read: Option<Payloads> = Decoder::new().unwrap().payloads(&head, &body);
            let sum: u64 = lengths.iter().take(count as usize).map(|&length| u64::from(length)).sum();
            prop_assert!(read.is_none() || sum + u64::from(count) * 4 <= raw.len() as u64);
        }
    }

    #[test]
    fn any_bytes_as_a_segment_are_survived(bytes: Vec<u8>, place in 0usize..200) {
        let (files, whole, ..) = segment_of(3);
        let place = place.min(whole.len());
        let bytes = [&whole[..place], &bytes, &whole[place..]].concat();
        let (journal, _) = open_in(&files.with(SEGMENT, &bytes), large());
        read(&journal, 0);
    }
}
