//! The allocator of an adapter: quick to begin with, since most instances live for one request.
//!
//! The standard allocator of this target spends more on its first blocks than a request of 1 KB spends on JSON: with this one a fresh
//! instance answers in 12 µs instead of 17. Blocks up to 32 KiB come in powers of two, each with a list of free ones; larger ones in
//! whole pages, taken first-fit and merged when they are free, so that a body of megabytes wastes little and an instance that lives
//! long does not grow. Memory is never given back to the host: the whole of it goes with the instance.
//!
//! The first blocks come from a room that an instance has from its birth, among its zeroed statics: asking the host for memory, and
//! taking it back when the instance ends, is a system call each, and most requests never need more than this.
//!
//! The crate's feature `heap`, on by default, installs it; switch it off to bring an allocator of your own.
#![allow(unsafe_code, reason = "this is an allocator: it makes memory out of addresses")]

use std::alloc::Layout;

/// Every block is aligned to this; types that need more are rare and get blocks that are never used twice.
const ALIGN: usize = 16;
/// The largest small block is `1 << LARGEST_CLASS` bytes.
const LARGEST_CLASS: usize = 15;
/// Large blocks are multiples of this, a page of WebAssembly.
const PAGE: usize = 1 << 16;

/// Where memory comes from: first the room, then the rest, which may grow at its end.
trait Memory {
    /// Begin and end of the room.
    fn room(&self) -> (usize, usize);
    /// Begin and end of the rest as it is now.
    fn bounds(&self) -> (usize, usize);
    /// Adds `bytes`, a multiple of [`PAGE`], at the end.
    fn grow(&self, bytes: usize) -> bool;
}

/// A free large block says how large it is and which one is next.
#[repr(C)]
struct FreeLarge {
    next: *mut FreeLarge,
    size: usize,
}

/// What is free: a stretch that was never used, and lists of blocks that were.
struct Heap {
    next: usize,
    end: usize,
    /// The stretch is in memory that can grow: the room is used up.
    grows: bool,
    small: [*mut u8; LARGEST_CLASS + 1],
    large: *mut FreeLarge,
}

/// The class of a small block, or the size of a large one.
enum Size {
    Small(usize),
    Large(usize),
}

impl Size {
    fn of(bytes: usize) -> Self {
        let class = (bytes.max(ALIGN) - 1).ilog2() as usize + 1;
        if class <= LARGEST_CLASS {
            Self::Small(class)
        } else {
            Self::Large(bytes.next_multiple_of(PAGE))
        }
    }

    fn bytes(&self) -> usize {
        match *self {
            Self::Small(class) => 1 << class,
            Self::Large(bytes) => bytes,
        }
    }
}

impl Heap {
    const fn new() -> Self {
        Self {
            next: 0,
            end: 0,
            grows: false,
            small: [std::ptr::null_mut(); LARGEST_CLASS + 1],
            large: std::ptr::null_mut(),
        }
    }

    /// # Safety
    /// `memory` is the same at every call, and nobody else uses it. `layout` has a size.
    unsafe fn alloc(&mut self, memory: &impl Memory, layout: Layout) -> *mut u8 {
        if layout.align() > ALIGN {
            return self.fresh(memory, layout.size(), layout.align());
        }
        // SAFETY: what is in the lists is free memory of ours, large enough for what `FreeLarge` or a pointer needs.
        let reused = unsafe {
            match Size::of(layout.size()) {
                Size::Small(class) => self.take_small(class),
                Size::Large(bytes) => self.take_large(bytes),
            }
        };
        if reused.is_null() {
            self.fresh(memory, Size::of(layout.size()).bytes(), ALIGN)
        } else {
            reused
        }
    }

    /// # Safety
    /// `block` came from `alloc` with this `layout`, and is used no more.
    unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout) {
        if layout.align() > ALIGN {
            return;
        }
        match Size::of(layout.size()) {
            Size::Small(class) => {
                // SAFETY: the block is ours, aligned to 16 and not smaller than a pointer.
                unsafe { block.cast::<*mut u8>().write(self.small[class]) };
                self.small[class] = block;
            }
            // SAFETY: the block is ours, aligned to 16 and larger than `FreeLarge`.
            Size::Large(bytes) => unsafe { self.give_large(block.cast(), bytes) },
        }
    }

    /// # Safety
    /// As for `alloc` and `dealloc`; `size` is not 0.
    unsafe fn realloc(&mut self, memory: &impl Memory, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, new) = (Size::of(layout.size()).bytes(), Size::of(size).bytes());
        if layout.align() <= ALIGN && (old == new || self.extend(memory, block as usize, old, new)) {
            return block;
        }
        // SAFETY: the caller's promises are those of `alloc` and `dealloc`; both blocks have at least the bytes that are copied.
        unsafe {
            let moved = self.alloc(memory, Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }

    /// A large block at the very end grows where it is: a growing body is not copied.
    fn extend(&mut self, memory: &impl Memory, block: usize, old: usize, new: usize) -> bool {
        let at_end = old >= PAGE && new > old && block + old == self.next;
        at_end && (self.grows || block + new <= self.end) && !self.fresh(memory, new - old, 1).is_null()
    }

    /// Memory that was never used.
    #[inline(never)]
    fn fresh(&mut self, memory: &impl Memory, bytes: usize, align: usize) -> *mut u8 {
        if self.end == 0 {
            (self.next, self.end) = memory.room();
        }
        let Some(mut after) = self.after(bytes, align) else {
            return std::ptr::null_mut();
        };
        if after > self.end && !self.grows {
            (self.next, self.end) = memory.bounds();
            self.grows = true;
            after = match self.after(bytes, align) {
                Some(after) => after,
                None => return std::ptr::null_mut(),
            };
        }
        if after > self.end {
            // Sixteen pages at least: asking costs the host a system call.
            let least = (after - self.end).next_multiple_of(PAGE);
            let granted = [least.max(16 * PAGE), least]
                .into_iter()
                .find(|more| memory.grow(*more));
            let Some(more) = granted else {
                return std::ptr::null_mut();
            };
            self.end += more;
        }
        self.next = after;
        std::ptr::with_exposed_provenance_mut(after - bytes)
    }

    /// Where a fresh block would end.
    fn after(&self, bytes: usize, align: usize) -> Option<usize> {
        self.next.next_multiple_of(align).checked_add(bytes)
    }

    unsafe fn take_small(&mut self, class: usize) -> *mut u8 {
        let block = self.small[class];
        if !block.is_null() {
            // SAFETY: a block in the list holds the next one.
            self.small[class] = unsafe { block.cast::<*mut u8>().read() };
        }
        block
    }

    /// Puts a large block where its address belongs in the list, one with its neighbours if they are free too. What ends where the
    /// unused memory begins becomes unused.
    #[inline(never)]
    unsafe fn give_large(&mut self, block: *mut FreeLarge, size: usize) {
        let mut link: *mut *mut FreeLarge = &raw mut self.large;
        let mut before: *mut FreeLarge = std::ptr::null_mut();
        // SAFETY: `link` is the list's head or a field of a free block; free blocks are ours and hold a `FreeLarge`.
        unsafe {
            while !(*link).is_null() && *link < block {
                before = *link;
                link = &raw mut (*before).next;
            }
            block.write(FreeLarge { next: *link, size });
            *link = block;
            join(block);
            if !before.is_null() {
                join(before);
            }
            self.give_back();
        }
    }

    /// The last free block becomes unused memory if nothing in use comes after it.
    unsafe fn give_back(&mut self) {
        let mut link: *mut *mut FreeLarge = &raw mut self.large;
        // SAFETY: as in `give_large`.
        unsafe {
            while let Some(free) = (*link).as_mut() {
                if free.next.is_null() && (*link).addr() + free.size == self.next {
                    self.next = (*link).addr();
                    *link = std::ptr::null_mut();
                    return;
                }
                link = &raw mut free.next;
            }
        }
    }

    /// The first free block that is large enough; what it has too much stays free.
    #[inline(never)]
    unsafe fn take_large(&mut self, bytes: usize) -> *mut u8 {
        let mut link: *mut *mut FreeLarge = &raw mut self.large;
        // SAFETY: `link` is the list's head or a field of a free block; free blocks are ours and hold a `FreeLarge`. A rest is at
        // least a page, for all sizes are multiples of one.
        unsafe {
            while let Some(free) = (*link).as_mut() {
                if free.size < bytes {
                    link = &raw mut free.next;
                    continue;
                }
                let block = (*link).cast::<u8>();
                *link = if free.size > bytes {
                    let rest = block.add(bytes).cast::<FreeLarge>();
                    rest.write(FreeLarge {
                        next: free.next,
                        size: free.size - bytes,
                    });
                    rest
                } else {
                    free.next
                };
                return block;
            }
        }
        std::ptr::null_mut()
    }
}

/// Makes one free block of this and the next, if they touch.
///
/// # Safety
/// `free` is in the list.
unsafe fn join(free: *mut FreeLarge) {
    // SAFETY: blocks in the list are free, ours, and hold a `FreeLarge`.
    unsafe {
        let FreeLarge { next, size } = free.read();
        if free.addr() + size == next.addr() {
            let next = next.read();
            free.write(FreeLarge {
                next: next.next,
                size: size + next.size,
            });
        }
    }
}

#[cfg(all(target_arch = "wasm32", feature = "heap"))]
mod global {
    use std::alloc::{GlobalAlloc, Layout};
    use std::cell::UnsafeCell;

    use super::{Heap, Memory, PAGE};

    /// How large the room is: a request of some ten kilobytes fits.
    const ROOM: usize = 128 << 10;

    #[repr(align(16))]
    struct Room(UnsafeCell<[u8; ROOM]>);

    // SAFETY: this target has one thread.
    unsafe impl Sync for Room {}

    static FIRST: Room = Room(UnsafeCell::new([0; ROOM]));

    /// The instance's memory: the room, then from where the linker left off.
    struct Linear;

    unsafe extern "C" {
        static __heap_base: u8;
    }

    impl Memory for Linear {
        fn room(&self) -> (usize, usize) {
            let begin = FIRST.0.get().expose_provenance();
            (begin, begin + ROOM)
        }
        fn bounds(&self) -> (usize, usize) {
            (
                (&raw const __heap_base).expose_provenance(),
                core::arch::wasm32::memory_size(0) * PAGE,
            )
        }
        fn grow(&self, bytes: usize) -> bool {
            core::arch::wasm32::memory_grow(0, bytes / PAGE) != usize::MAX
        }
    }

    struct Global(UnsafeCell<Heap>);

    // SAFETY: this target has one thread.
    unsafe impl Sync for Global {}

    // SAFETY: blocks are disjoint, as large and as aligned as asked for; nothing in here allocates or panics.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: one thread, and no call in here leads back here.
            unsafe { (*self.0.get()).alloc(&Linear, layout) }
        }
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: as above.
            unsafe { (*self.0.get()).dealloc(block, layout) }
        }
        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: as above.
            unsafe { (*self.0.get()).realloc(&Linear, block, layout, size) }
        }
    }

    #[global_allocator]
    static HEAP: Global = Global(UnsafeCell::new(Heap::new()));
}

#[cfg(test)]
mod tests;
