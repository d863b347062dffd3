//! The allocator, given a stretch of native memory: blocks never overlap, keep what is in them, and are used again.

use std::alloc::Layout;
use std::cell::Cell;

use super::{Heap, Memory, PAGE};

/// A room of one page, and memory elsewhere that begins with one page and may grow to all of `bytes`.
struct Stretch {
    room: Vec<u128>,
    _bytes: Vec<u128>,
    begin: usize,
    most: usize,
    len: Cell<usize>,
}

impl Stretch {
    fn new(pages: usize) -> Self {
        let mut bytes = vec![0_u128; pages * PAGE / 16];
        let begin = bytes.as_mut_ptr().expose_provenance();
        Self {
            room: vec![0_u128; PAGE / 16],
            _bytes: bytes,
            begin,
            most: pages * PAGE,
            len: Cell::new(PAGE),
        }
    }
}

impl Memory for Stretch {
    fn room(&self) -> (usize, usize) {
        let begin = self.room.as_ptr().expose_provenance();
        (begin, begin + PAGE)
    }
    fn bounds(&self) -> (usize, usize) {
        (self.begin, self.begin + self.len.get())
    }
    fn grow(&self, bytes: usize) -> bool {
        let len = self.len.get() + bytes;
        let fits = len <= self.most;
        if fits {
            self.len.set(len);
        }
        fits
    }
}

struct Block {
    at: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Block {
    fn fill(&self) {
        // SAFETY: the block is as large as its layout.
        unsafe { self.at.write_bytes(self.mark, self.layout.size()) };
    }
    fn holds(&self, bytes: usize) -> bool {
        // SAFETY: as above, and it was filled.
        unsafe { std::slice::from_raw_parts(self.at, bytes) }
            .iter()
            .all(|byte| *byte == self.mark)
    }
}

#[test]
fn blocks_of_all_sizes_keep_their_bytes_while_others_come_go_and_grow() {
    let memory = Stretch::new(1024);
    let mut heap = Heap::new();
    let mut blocks: Vec<Block> = Vec::new();
    let mut seed = 7_u64;
    let mut random = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for round in 0..5_000 {
        let most = [64, 5000, 40_000, 300_000][random(4)];
        let size = 1 + random(most);
        if blocks.len() < 40 || random(3) == 0 {
            let layout = Layout::from_size_align(size, [1, 8, 16][random(3)]).unwrap();
            // SAFETY: the heap has this memory for itself.
            let at = unsafe { heap.alloc(&memory, layout) };
            assert!(!at.is_null() && at.addr().is_multiple_of(16), "round {round}");
            blocks.push(Block {
                at,
                layout,
                mark: round as u8,
            });
        } else {
            let mut block = blocks.swap_remove(random(blocks.len()));
            assert!(block.holds(block.layout.size()), "round {round}");
            if blocks.len() > 60 || random(2) == 0 {
                // SAFETY: the block came from this heap.
                unsafe { heap.dealloc(block.at, block.layout) };
                continue;
            }
            let kept = block.layout.size().min(size);
            // SAFETY: as above.
            block.at = unsafe { heap.realloc(&memory, block.at, block.layout, size) };
            assert!(block.holds(kept), "round {round}");
            block.layout = Layout::from_size_align(size, block.layout.align()).unwrap();
            blocks.push(block);
        }
        blocks.last().unwrap().fill();
    }
    assert!(blocks.iter().all(|block| block.holds(block.layout.size())));
}

#[test]
fn a_body_that_grows_to_megabytes_takes_little_more_than_its_size() {
    let memory = Stretch::new(400);
    let mut heap = Heap::new();
    let mut layout = Layout::from_size_align(10, 1).unwrap();
    // SAFETY: the heap has this memory for itself, and the block is its own.
    unsafe {
        let mut block = heap.alloc(&memory, layout);
        while layout.size() < 20 << 20 {
            block = heap.realloc(&memory, block, layout, layout.size() * 2);
            layout = Layout::from_size_align(layout.size() * 2, 1).unwrap();
            assert!(!block.is_null(), "{layout:?}");
        }
    }
    assert!(
        memory.len.get() < layout.size() + (2 << 20),
        "{} bytes",
        memory.len.get()
    );
}

#[test]
fn what_does_not_fit_is_refused_and_the_rest_still_works() {
    let memory = Stretch::new(20);
    let mut heap = Heap::new();
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    // SAFETY: the heap has this memory for itself.
    unsafe {
        assert!(heap.alloc(&memory, layout(21 * PAGE)).is_null());
        assert!(heap.alloc(&memory, layout(isize::MAX as usize)).is_null());
        let block = heap.alloc(&memory, layout(18 * PAGE));
        assert!(!block.is_null());
        heap.dealloc(block, layout(18 * PAGE));
        assert_eq!(heap.alloc(&memory, layout(17 * PAGE)), block);
        let aligned = heap.alloc(&memory, Layout::from_size_align(100, 4096).unwrap());
        assert!(aligned.addr().is_multiple_of(4096) && !aligned.is_null());
    }
}

#[test]
fn small_things_stay_in_the_room_and_large_ones_need_not_fit_it() {
    let memory = Stretch::new(20);
    let mut heap = Heap::new();
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    let (begin, end) = memory.room();
    // SAFETY: the heap has this memory for itself.
    unsafe {
        let small = heap.alloc(&memory, layout(1000));
        assert!((begin..end).contains(&small.addr()));
        small.write_bytes(7, 1000);
        let large = heap.alloc(&memory, layout(2 * PAGE));
        assert!(!(begin..end).contains(&large.addr()));
        // What began in the room and outgrows it is moved with what it holds.
        let moved = heap.realloc(&memory, small, layout(1000), 3 * PAGE);
        assert!(!(begin..end).contains(&moved.addr()));
        assert_eq!(std::slice::from_raw_parts(moved, 1000), [7; 1000]);
    }
}
