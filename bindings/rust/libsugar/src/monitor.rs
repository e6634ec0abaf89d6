//! Monitors: what the units of one layer have seen.

use crate::context::Context;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::view::View;
use libsugar_sys as sys;
use std::fmt;
use std::ptr::NonNull;

/// Counts and sums over the inputs of an activation, unit by unit.
pub struct Monitor {
    handle: NonNull<sys::sugar_monitor>,
}

// SAFETY: any thread may use it; what changes it takes &mut.
unsafe impl Send for Monitor {}
unsafe impl Sync for Monitor {}

/// Choices at creation; the defaults are those of the library.
#[derive(Debug, Clone, Copy)]
pub struct MonitorOptions {
    /// The dimension of x on which the units lie: 0 is the last one.
    pub axis_from_end: i32,
    /// Of the histogram; 0 stands for [`sys::SUGAR_MONITOR_BINS`].
    pub bins: i32,
    /// Samples above it are active.
    pub threshold: f64,
    /// Bounds of the histogram.
    pub range: (f64, f64),
    /// One call in so many is observed, beginning with the first; 0 and 1: every call.
    pub every: i64,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        MonitorOptions { axis_from_end: 0, bins: 0, threshold: 0.0, range: (-8.0, 8.0), every: 0 }
    }
}

/// The whole layer.
pub type Summary = sys::sugar_monitor_summary;
/// One unit.
pub type Unit = sys::sugar_monitor_unit;

/// All samples, in bins: below the first edge, between two, and from the last on.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub counts: Vec<i64>,
    pub edges: Vec<f64>,
}

impl Monitor {
    pub fn new(units: i64) -> Result<Self> {
        Monitor::with_options(units, &MonitorOptions::default())
    }

    pub fn with_options(units: i64, options: &MonitorOptions) -> Result<Self> {
        let options = sys::sugar_monitor_options {
            axis_from_end: options.axis_from_end,
            bins: options.bins,
            threshold: options.threshold,
            minimum: options.range.0,
            maximum: options.range.1,
            every: options.every,
            ..Default::default()
        };
        let mut handle = std::ptr::null_mut();
        // SAFETY: nothing but the result is written.
        Error::from_status(unsafe { sys::sugar_monitor_create(&mut handle, units, &options) })?;
        Ok(Monitor::owning(handle))
    }

    /// From what [`Monitor::save`] gave, here or on another machine.
    pub fn restore(saved: &[u8]) -> Result<Self> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the library checks what it reads of the slice.
        Error::from_status(unsafe {
            sys::sugar_monitor_restore(&mut handle, saved.as_ptr().cast(), saved.len())
        })?;
        Ok(Monitor::owning(handle))
    }

    fn owning(handle: *mut sys::sugar_monitor) -> Self {
        Monitor { handle: NonNull::new(handle).expect("a handle, where there is no error") }
    }

    pub fn save(&self) -> Result<Vec<u8>> {
        // SAFETY: as many bytes as are said.
        unsafe {
            let mut saved = vec![0u8; sys::sugar_monitor_save_size(self.as_ptr())];
            Error::from_status(sys::sugar_monitor_save(self.as_ptr(), saved.as_mut_ptr().cast(), saved.len()))?;
            Ok(saved)
        }
    }

    /// Counts the elements of x.
    pub fn observe<'x, T: Element>(&mut self, x: impl Into<View<'x, T>>, context: Option<&Context>) -> Result<()> {
        let x = x.into();
        let options = sys::sugar_call_options {
            context: context.map_or(std::ptr::null(), Context::as_ptr),
            ..Default::default()
        };
        // SAFETY: every element of a view lies in its slice.
        Error::from_status(unsafe { sys::sugar_monitor_observe(self.as_mut_ptr(), &x.raw().tensor(), &options) })
    }

    /// Forgets all that was counted.
    pub fn reset(&mut self) {
        // SAFETY: a monitor, so that it cannot fail.
        unsafe { sys::sugar_monitor_reset(self.as_mut_ptr()) };
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, from: &Monitor) -> Result<()> {
        // SAFETY: two monitors.
        Error::from_status(unsafe { sys::sugar_monitor_merge(self.as_mut_ptr(), from.as_ptr()) })
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        // SAFETY: a monitor and a struct with its size, so that it cannot fail.
        unsafe { sys::sugar_monitor_get(self.as_ptr(), &mut summary) };
        summary
    }

    pub fn unit(&self, index: i64) -> Result<Unit> {
        let mut unit = Unit::default();
        // SAFETY: a struct with its size.
        Error::from_status(unsafe { sys::sugar_monitor_get_unit(self.as_ptr(), index, &mut unit) })?;
        Ok(unit)
    }

    /// The units that saw samples and of these at most the share `rate` active.
    pub fn find_dead(&self, rate: f64) -> Result<Vec<i64>> {
        let mut count = 0;
        // SAFETY: no more than there is room for.
        unsafe {
            Error::from_status(sys::sugar_monitor_find_dead(
                self.as_ptr(),
                rate,
                std::ptr::null_mut(),
                0,
                &mut count,
            ))?;
            let mut found = vec![0; count as usize];
            Error::from_status(sys::sugar_monitor_find_dead(
                self.as_ptr(),
                rate,
                found.as_mut_ptr(),
                count,
                &mut count,
            ))?;
            Ok(found)
        }
    }

    pub fn histogram(&self) -> Histogram {
        let bins = self.summary().bins;
        let mut histogram = Histogram { counts: vec![0; bins as usize], edges: vec![0.0; bins as usize - 1] };
        // SAFETY: as many elements as the library writes, so that it cannot fail.
        unsafe {
            sys::sugar_monitor_get_histogram(
                self.as_ptr(),
                histogram.counts.as_mut_ptr(),
                histogram.edges.as_mut_ptr(),
                bins,
            )
        };
        histogram
    }

    /// For the functions of [`sys`].
    pub fn as_ptr(&self) -> *const sys::sugar_monitor {
        self.handle.as_ptr()
    }

    pub fn as_mut_ptr(&mut self) -> *mut sys::sugar_monitor {
        self.handle.as_ptr()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        // SAFETY: nobody else has it, or uses it.
        unsafe { sys::sugar_monitor_destroy(self.handle.as_ptr()) }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Monitor({:?})", self.summary())
    }
}
