//! Views of slices: a shape and strides, checked so that every element lies in the slice.

use crate::element::Stored;
use crate::error::{Error, Result};
use libsugar_sys as sys;
use std::marker::PhantomData;

/// Extents, and steps in elements. `Line` is a slice as it is.
#[derive(Debug, Clone, Copy)]
enum Layout<'a> {
    Line(i64),
    Grid { shape: &'a [i64], strides: Option<&'a [i64]> },
}

/// An address, a type and a layout; who made it has checked that they fit, and says by its type whether the elements
/// are shared or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    data: *mut u8,
    kind: sys::sugar_data_type,
    layout: Layout<'a>,
}

impl<'a> Raw<'a> {
    /// What C takes, valid as long as `self` is where it is.
    #[inline]
    pub(crate) fn tensor(&self) -> sys::sugar_tensor {
        let (shape, strides) = match &self.layout {
            Layout::Line(extent) => (std::slice::from_ref(extent), None),
            Layout::Grid { shape, strides } => (*shape, *strides),
        };
        sys::sugar_tensor {
            data: self.data.cast(),
            device: sys::sugar_device { device_type: sys::SUGAR_DEVICE_CPU, device_id: 0 },
            ndim: shape.len() as i32,
            dtype: self.kind,
            shape: shape.as_ptr(),
            strides: strides.map_or(std::ptr::null(), |strides| strides.as_ptr()),
            byte_offset: 0,
        }
    }

    /// One bit for each element of a compact, row-major tensor.
    pub(crate) fn bits(data: *mut u8, length: usize, shape: &'a [i64]) -> Result<Self> {
        let needed = span(shape, None)?.map_or(0, |(_, last)| last / 8 + 1);
        if needed > length as i128 {
            return Err(Error::argument(format!(
                "saved bits: {} bytes, expected {} for shape {:?}",
                length, needed, shape
            )));
        }
        let kind = sys::sugar_data_type { code: sys::SUGAR_TYPE_UNSIGNED as u8, bits: 1, lanes: 1 };
        Ok(Raw { data, kind, layout: Layout::Grid { shape, strides: None } })
    }

    #[inline]
    fn line<T: Stored>(data: *mut T, length: usize) -> Self {
        Raw { data: data.cast(), kind: T::TYPE, layout: Layout::Line(length as i64) }
    }

    fn grid<T: Stored>(
        data: *mut T,
        length: usize,
        offset: usize,
        shape: &'a [i64],
        strides: Option<&'a [i64]>,
    ) -> Result<Self> {
        let mut start = data;
        if let Some((first, last)) = span(shape, strides)? {
            let at = offset as i128;
            if first + at < 0 || last + at >= length as i128 {
                return Err(Error::argument(format!(
                    "view: elements {} to {}, expected them in a slice of {}",
                    first + at,
                    last + at,
                    length
                )));
            }
            // SAFETY: within the slice.
            start = unsafe { data.add(offset) };
        }
        Ok(Raw { data: start.cast(), kind: T::TYPE, layout: Layout::Grid { shape, strides } })
    }
}

/// The lowest and the highest element, counted from the one at index (0, ..., 0); none if there are none.
fn span(shape: &[i64], strides: Option<&[i64]>) -> Result<Option<(i128, i128)>> {
    if shape.len() > sys::SUGAR_MAX_DIMENSIONS as usize {
        return Err(Error::argument(format!(
            "view: {} dimensions, expected at most {}",
            shape.len(),
            sys::SUGAR_MAX_DIMENSIONS
        )));
    }
    if let Some(strides) = strides.filter(|strides| strides.len() != shape.len()) {
        return Err(Error::argument(format!(
            "view: {} strides, expected {} like the shape",
            strides.len(),
            shape.len()
        )));
    }
    if let Some(extent) = shape.iter().find(|extent| **extent < 0) {
        return Err(Error::argument(format!("view: extent {}, expected 0 or more", extent)));
    }
    if shape.contains(&0) {
        return Ok(None);
    }
    let too_large = || {
        let strides = strides.map_or("compact".to_string(), |strides| format!("{:?}", strides));
        Error::argument(format!(
            "view: shape {:?}, strides {}, expected positions that an i64 holds",
            shape, strides
        ))
    };
    // Each product is below 2^126 in size; sums of 64 of them are checked.
    let (mut first, mut last, mut compact) = (0i128, 0i128, 1i128);
    for (dimension, extent) in shape.iter().enumerate().rev() {
        let stride = strides.map_or(compact, |strides| i128::from(strides[dimension]));
        let reach = i128::from(extent - 1).checked_mul(stride).ok_or_else(too_large)?;
        let bound = if reach < 0 { &mut first } else { &mut last };
        *bound = bound.checked_add(reach).ok_or_else(too_large)?;
        if strides.is_none() {
            compact = compact.checked_mul(i128::from(*extent)).ok_or_else(too_large)?;
        }
    }
    let limit = i128::from(i64::MAX);
    if first < -limit || last > limit {
        return Err(too_large());
    }
    Ok(Some((first, last)))
}

/// Elements to read.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T> {
    raw: Raw<'a>,
    elements: PhantomData<&'a [T]>,
}

// SAFETY: a View is a &[T], and a shared list of numbers.
unsafe impl<T: Sync> Send for View<'_, T> {}
unsafe impl<T: Sync> Sync for View<'_, T> {}

impl<'a, T: Stored> View<'a, T> {
    /// All elements, in one dimension.
    pub fn new(elements: &'a [T]) -> Self {
        View { raw: Raw::line(elements.as_ptr() as *mut T, elements.len()), elements: PhantomData }
    }

    /// The first elements, compact and row-major.
    pub fn with_shape(elements: &'a [T], shape: &'a [i64]) -> Result<Self> {
        let raw = Raw::grid(elements.as_ptr() as *mut T, elements.len(), 0, shape, None)?;
        Ok(View { raw, elements: PhantomData })
    }

    /// Index (0, ..., 0) is element `offset`; strides are in elements, of any sign. 0 repeats elements.
    pub fn strided(elements: &'a [T], offset: usize, shape: &'a [i64], strides: &'a [i64]) -> Result<Self> {
        let raw = Raw::grid(elements.as_ptr() as *mut T, elements.len(), offset, shape, Some(strides))?;
        Ok(View { raw, elements: PhantomData })
    }

    pub(crate) fn raw(&self) -> &Raw<'a> {
        &self.raw
    }
}

/// Elements to write, or to work on in place. No two indices may have the same element: calls refuse that.
#[derive(Debug)]
pub struct ViewMut<'a, T> {
    raw: Raw<'a>,
    elements: PhantomData<&'a mut [T]>,
}

// SAFETY: a ViewMut is a &mut [T], and a shared list of numbers.
unsafe impl<T: Send> Send for ViewMut<'_, T> {}
unsafe impl<T: Sync> Sync for ViewMut<'_, T> {}

impl<'a, T: Stored> ViewMut<'a, T> {
    /// All elements, in one dimension.
    pub fn new(elements: &'a mut [T]) -> Self {
        ViewMut { raw: Raw::line(elements.as_mut_ptr(), elements.len()), elements: PhantomData }
    }

    /// The first elements, compact and row-major.
    pub fn with_shape(elements: &'a mut [T], shape: &'a [i64]) -> Result<Self> {
        let raw = Raw::grid(elements.as_mut_ptr(), elements.len(), 0, shape, None)?;
        Ok(ViewMut { raw, elements: PhantomData })
    }

    /// As [`View::strided`].
    pub fn strided(elements: &'a mut [T], offset: usize, shape: &'a [i64], strides: &'a [i64]) -> Result<Self> {
        let raw = Raw::grid(elements.as_mut_ptr(), elements.len(), offset, shape, Some(strides))?;
        Ok(ViewMut { raw, elements: PhantomData })
    }

    /// The same elements, to read.
    pub fn view(&self) -> View<'_, T> {
        View { raw: self.raw, elements: PhantomData }
    }

    pub(crate) fn raw(&self) -> &Raw<'a> {
        &self.raw
    }
}

impl<'a, T: Stored> From<&'a [T]> for View<'a, T> {
    fn from(elements: &'a [T]) -> Self {
        View::new(elements)
    }
}

impl<'a, T: Stored> From<&'a Vec<T>> for View<'a, T> {
    fn from(elements: &'a Vec<T>) -> Self {
        View::new(elements)
    }
}

impl<'a, T: Stored, const N: usize> From<&'a [T; N]> for View<'a, T> {
    fn from(elements: &'a [T; N]) -> Self {
        View::new(elements)
    }
}

impl<'a, T: Stored> From<&View<'a, T>> for View<'a, T> {
    fn from(view: &View<'a, T>) -> Self {
        *view
    }
}

impl<'a, T: Stored> From<&'a mut [T]> for ViewMut<'a, T> {
    fn from(elements: &'a mut [T]) -> Self {
        ViewMut::new(elements)
    }
}

impl<'a, T: Stored> From<&'a mut Vec<T>> for ViewMut<'a, T> {
    fn from(elements: &'a mut Vec<T>) -> Self {
        ViewMut::new(elements)
    }
}

impl<'a, T: Stored, const N: usize> From<&'a mut [T; N]> for ViewMut<'a, T> {
    fn from(elements: &'a mut [T; N]) -> Self {
        ViewMut::new(elements)
    }
}

impl<'a, T: Stored> From<&'a mut ViewMut<'_, T>> for ViewMut<'a, T> {
    fn from(view: &'a mut ViewMut<'_, T>) -> Self {
        ViewMut { raw: view.raw, elements: PhantomData }
    }
}
