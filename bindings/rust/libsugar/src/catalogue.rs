//! What the library has: kinds, parameters, levels.

use libsugar_sys as sys;
use std::ffi::CStr;
use std::os::raw::c_char;

/// One kind of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    index: i32,
    parameter_count: i32,
    pub name: &'static str,
    /// A second name that specs may use.
    pub alias: Option<&'static str>,
    /// `SUGAR_ROLE_*` of [`sys`].
    pub roles: u32,
    /// The formula of f(x); none for a kind that is a surrogate alone.
    pub value: Option<&'static str>,
    /// The formula of f'(x).
    pub derivative: Option<&'static str>,
    /// Where it comes from.
    pub source: Option<&'static str>,
    /// `SUGAR_CAN_*` of [`sys`].
    pub capabilities: u64,
}

/// A parameter of a kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    pub name: &'static str,
    pub default_value: f64,
    pub minimum: f64,
    pub maximum: f64,
    /// It may be a tensor: [`crate::Call::parameter`].
    pub learnable: bool,
    /// The name of the parameter of the same kind that its value may not exceed.
    pub not_above: Option<&'static str>,
}

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub name: &'static str,
    /// This build of the library has its kernels.
    pub compiled: bool,
    /// And this machine has it.
    pub supported: bool,
    /// And it is what an activation gets that names none.
    pub in_use: bool,
}

/// The version of the library in use: major * 10000 + minor * 100 + patch.
pub fn version() -> i32 {
    // SAFETY: it takes nothing.
    unsafe { sys::sugar_version() }
}

/// A constant of the library, or NULL.
unsafe fn text(constant: *const c_char) -> Option<&'static str> {
    // SAFETY: constants are never freed.
    (!constant.is_null()).then(|| unsafe { CStr::from_ptr(constant) })?.to_str().ok()
}

/// All kinds.
pub fn kinds() -> impl ExactSizeIterator<Item = Kind> {
    // SAFETY: it takes nothing.
    (0..unsafe { sys::sugar_kind_count() }).map(Kind::at)
}

fn parameter(kind: i32, index: i32) -> sys::sugar_parameter {
    let mut parameter = sys::sugar_parameter::default();
    // SAFETY: a struct with its size; a wrong index is an error.
    unsafe { sys::sugar_kind_get_parameter(kind, index, &mut parameter) };
    parameter
}

impl Kind {
    /// The kind of an index below the count.
    pub(crate) fn at(index: i32) -> Kind {
        let mut kind = sys::sugar_kind::default();
        // SAFETY: a struct with its size, and strings that are constants.
        unsafe {
            sys::sugar_kind_get(index, &mut kind);
            Kind {
                index,
                parameter_count: kind.parameter_count,
                name: text(kind.name).unwrap_or(""),
                alias: text(kind.alias),
                roles: kind.roles,
                value: text(kind.value),
                derivative: text(kind.derivative),
                source: text(kind.source).filter(|source| !source.is_empty()),
                capabilities: kind.capabilities,
            }
        }
    }

    pub fn parameters(&self) -> impl ExactSizeIterator<Item = Parameter> {
        let kind = self.index;
        (0..self.parameter_count).map(move |index| {
            let found = parameter(kind, index);
            // SAFETY: names are constants; that of no parameter is NULL.
            let (name, not_above) = unsafe { (text(found.name), text(parameter(kind, found.not_above).name)) };
            Parameter {
                name: name.unwrap_or(""),
                default_value: found.default_value,
                minimum: found.minimum,
                maximum: found.maximum,
                learnable: found.learnable != 0,
                not_above,
            }
        })
    }
}

/// All levels that the library knows, the lowest first.
pub fn levels() -> impl ExactSizeIterator<Item = Level> {
    // SAFETY: structs with their sizes, indices below the count, strings that are constants.
    (0..unsafe { sys::sugar_level_count() }).map(|index| unsafe {
        let mut level = sys::sugar_level::default();
        sys::sugar_level_get(index, &mut level);
        Level {
            name: text(level.name).unwrap_or(""),
            compiled: level.compiled != 0,
            supported: level.supported != 0,
            in_use: level.in_use != 0,
        }
    })
}
