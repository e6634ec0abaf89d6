//! Contexts: how calls use threads.

use crate::error::{Error, Result};
use libsugar_sys as sys;
use std::fmt;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a pool runs once for each index.
pub type Task<'a> = dyn Fn(i64) + Sync + 'a;

type Pool = dyn Fn(i64, &Task<'_>) + Send + Sync;

/// A pool of threads: the library's own, or the program's. Any number of calls may use one at the same time.
pub struct Context {
    handle: NonNull<sys::sugar_context>,
    _pool: Option<Payload>,
}

/// The pool at an address that the library has.
struct Payload(NonNull<Box<Pool>>);

impl Drop for Payload {
    fn drop(&mut self) {
        // SAFETY: of Box::into_raw, and the context, which has used it, is no more.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

// SAFETY: the library's pool may be used from and ended on any thread; the program's is Send and Sync.
unsafe impl Send for Context {}
unsafe impl Sync for Context {}

impl Context {
    /// A pool of threads - 1, beside the calling thread; 0: of as many as the process may use.
    pub fn new(threads: i32) -> Result<Self> {
        Context::make(sys::sugar_context_options { threads, ..Default::default() }, None)
    }

    /// The program's pool: `pool(count, task)` runs `task(i)` once for each i in 0..count, on any threads, at the
    /// same time or not, and then returns. What it leaves out runs on the calling thread. A call is split into at
    /// most `threads` parts; 0: as many as the process may use.
    pub fn with_pool(threads: i32, pool: impl Fn(i64, &Task<'_>) + Send + Sync + 'static) -> Result<Self> {
        let pool: Box<Box<Pool>> = Box::new(Box::new(pool));
        let pool = Payload(NonNull::new(Box::into_raw(pool)).expect("a box"));
        let options = sys::sugar_context_options {
            threads,
            parallel_for: Some(parallel_for),
            payload: pool.0.as_ptr().cast(),
            ..Default::default()
        };
        Context::make(options, Some(pool))
    }

    fn make(options: sys::sugar_context_options, pool: Option<Payload>) -> Result<Self> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the payload lives as long as the context.
        Error::from_status(unsafe { sys::sugar_context_create(&mut handle, &options) })?;
        Ok(Context { handle: NonNull::new(handle).expect("a handle, where there is no error"), _pool: pool })
    }

    /// How many threads work on a call, the calling one counted; of the program's pool: into how many parts a call may
    /// be split.
    pub fn threads(&self) -> i32 {
        // SAFETY: a handle that lives.
        unsafe { sys::sugar_context_threads(self.as_ptr()) }
    }

    /// For the functions of [`sys`].
    pub fn as_ptr(&self) -> *const sys::sugar_context {
        self.handle.as_ptr()
    }
}

/// What the library calls. A pool is safe code, so nothing depends on it: each index runs once, whatever the pool
/// does, and a panic ends here.
unsafe extern "C" fn parallel_for(
    payload: *mut c_void,
    task: sys::sugar_parallel_for_task,
    work: *mut c_void,
    count: i64,
) {
    struct Work(*mut c_void);
    // SAFETY: the library lets any threads work on it.
    unsafe impl Sync for Work {}

    let work = Work(work);
    let work = &work;
    let task = task.expect("the library's task");
    let started: Vec<AtomicBool> = (0..count).map(|_| AtomicBool::new(false)).collect();
    let once = |index: i64| {
        let slot = usize::try_from(index).ok().and_then(|index| started.get(index));
        if slot.map_or(false, |slot| !slot.swap(true, Ordering::Relaxed)) {
            let work: &Work = work;
            // SAFETY: an index below count, for the first time.
            unsafe { task(work.0, index) }
        }
    };
    // SAFETY: the address of the Context's box.
    let pool = unsafe { &*(payload as *const Box<Pool>) };
    // The panic's message has been printed; the call's result is right all the same. To drop what it threw may panic.
    if let Err(thrown) = catch_unwind(AssertUnwindSafe(|| pool(count, &once))) {
        std::mem::forget(thrown);
    }
    (0..count).for_each(once);
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: nobody else has it, or uses it.
        unsafe { sys::sugar_context_destroy(self.handle.as_ptr()) }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Context")
    }
}
