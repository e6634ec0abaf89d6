//! All shared vectors, bit for bit: through the C functions, and through the safe layer where it can say the same.

mod json;

use json::Json;
use libsugar::{
    sys, Activation, ActivationOptions, Bf16, Call, Element, Error, Monitor, MonitorOptions, Status, View,
    ViewMut, F16,
};
use std::ptr::{null, null_mut};

fn width(kind: &str) -> usize {
    match kind {
        "f64" => 8,
        "f32" => 4,
        "u8" => 1,
        _ => 2,
    }
}

fn same(kind: &str, a: u64, b: u64) -> bool {
    let infinity = match kind {
        "f64" => 0x7ff << 52,
        "f32" => 0x7f80_0000,
        "f16" => 0x7c00,
        "bf16" => 0x7f80,
        _ => return a == b,
    };
    let magnitude = (1u64 << (8 * width(kind) - 1)) - 1;
    a == b || (a & magnitude > infinity && b & magnitude > infinity)
}

fn same_double(bits: &Json, value: f64) -> bool {
    same("f64", bits.bits(), value.to_bits())
}

/// A block of a case, aligned to 8 bytes, little-endian as are all machines that this runs on.
struct Memory {
    kind: String,
    words: Vec<u64>,
    expected: Vec<u64>,
    bytes: usize,
}

impl Memory {
    fn new(block: &Json) -> Memory {
        let kind = block.get("type").text().to_string();
        let elements = |text: &str| -> Vec<u64> {
            let digits = text.as_bytes().chunks(2 * width(&kind));
            digits.map(|digits| u64::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()).collect()
        };
        let before = elements(block.get("before").text());
        let expected = block.find("after").map_or_else(|| before.clone(), |after| elements(after.text()));
        let mut raw: Vec<u8> =
            before.iter().flat_map(|word| word.to_ne_bytes()[..width(&kind)].to_vec()).collect();
        let bytes = raw.len();
        raw.resize(bytes / 8 * 8 + 8, 0);
        let words = raw.chunks(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect();
        Memory { kind, words, expected, bytes }
    }

    fn start(&self) -> *mut u8 {
        self.words.as_ptr() as *mut u8
    }

    fn check(&self) -> Result<(), String> {
        let raw: Vec<u8> = self.words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        for (i, expected) in self.expected.iter().enumerate() {
            let mut word = [0; 8];
            word[..width(&self.kind)].copy_from_slice(&raw[i * width(&self.kind)..(i + 1) * width(&self.kind)]);
            let got = u64::from_ne_bytes(word);
            if !same(&self.kind, got, *expected) {
                return Err(format!(
                    "element {} of a memory of {}: {:x}, expected {:x}",
                    i, self.kind, got, expected
                ));
            }
        }
        Ok(())
    }
}

/// An operand of a call on tensors, with the lists that it refers to.
struct Operand {
    shape: Vec<i64>,
    strides: Option<Vec<i64>>,
    memory: Option<usize>,
    data: usize,
    byte_offset: u64,
    dtype: (i64, i64, i64),
    device: i64,
}

impl Operand {
    fn new(json: &Json) -> Operand {
        let dtype = json.get("dtype").numbers();
        Operand {
            shape: json.get("shape").numbers(),
            strides: json.find("strides").map(Json::numbers),
            memory: json.find("memory").map(|index| index.number() as usize),
            data: json.get("data").number() as usize,
            byte_offset: json.get("byte_offset").number() as u64,
            dtype: (dtype[0], dtype[1], dtype[2]),
            device: json.get("device").number(),
        }
    }

    fn tensor(&self, memories: &mut [Memory]) -> sys::sugar_tensor {
        sys::sugar_tensor {
            data: self.memory.map_or(null_mut(), |index| memories[index].start().wrapping_add(self.data).cast()),
            device: sys::sugar_device { device_type: self.device as i32, device_id: 0 },
            ndim: self.shape.len() as i32,
            dtype: sys::sugar_data_type {
                code: self.dtype.0 as u8,
                bits: self.dtype.1 as u8,
                lanes: self.dtype.2 as u16,
            },
            shape: self.shape.as_ptr(),
            strides: self.strides.as_ref().map_or(null(), |strides| strides.as_ptr()),
            byte_offset: self.byte_offset,
        }
    }

    /// The element at which index (0, ..., 0) is, of a memory of elements of `size` bytes.
    fn offset(&self, size: usize) -> Option<usize> {
        let bytes = self.data + self.byte_offset as usize;
        Some(bytes / size).filter(|_| bytes % size == 0)
    }

    fn has_type(&self, code: i32, bits: i64) -> bool {
        self.dtype == (code.into(), bits, 1) && self.device == sys::SUGAR_DEVICE_CPU.into()
    }
}

/// The elements of a memory, with a lifetime that the test vouches for: no memory is handed out twice unless all of
/// it is only read.
fn elements<'a, T>(memory: &Memory) -> &'a [T] {
    unsafe { std::slice::from_raw_parts(memory.start().cast(), memory.bytes / std::mem::size_of::<T>()) }
}

fn elements_mut<'a, T>(memory: &mut Memory) -> &'a mut [T] {
    unsafe {
        std::slice::from_raw_parts_mut(memory.words.as_mut_ptr().cast(), memory.bytes / std::mem::size_of::<T>())
    }
}

/// Operands, in the order of the C functions' arguments and of their options.
const ROLES: [&str; 13] = [
    "x",
    "y",
    "dy",
    "dx",
    "v",
    "ddy",
    "parameter",
    "parameter_gradient",
    "saved_gradient",
    "bias",
    "bias_gradient",
    "gate",
    "gate_gradient",
];

type Outcome = Option<Result<(), Error>>;

/// One case in the making. Outcomes are `None` where the layer cannot say what the case says.
struct Replay<'a> {
    case: &'a Json,
    memories: Vec<Memory>,
    activation: Option<Activation>,
    monitor: Option<Monitor>,
}

impl<'a> Replay<'a> {
    fn run(case: &'a Json, raw: bool) -> Option<Result<(), String>> {
        let memories = case.get("memories").list().iter().map(Memory::new).collect();
        let monitor = case.find("monitor").map(|made| {
            let real = |key: &str| f64::from_bits(made.get(key).bits());
            let options = MonitorOptions {
                axis_from_end: made.get("axis_from_end").number() as i32,
                bins: made.get("bins").number() as i32,
                threshold: real("threshold"),
                range: (real("minimum"), real("maximum")),
                every: made.get("every").number(),
            };
            Monitor::with_options(made.get("units").number(), &options).unwrap()
        });
        let mut replay = Replay { case, memories, activation: None, monitor };
        let outcome = match replay.make() {
            Some(Err(error)) => Some(Err(error)),
            None if !raw => None,
            _ if case.get("call").text() == "create" => Some(Ok(())),
            _ if raw => Some(replay.call_raw()),
            _ => replay.call(),
        };
        outcome.map(|outcome| replay.check(outcome))
    }

    /// None: the case has no activation.
    fn make(&mut self) -> Option<Result<(), Error>> {
        let spec = self.case.find("spec")?.text();
        let numbers: Vec<f64> = self
            .case
            .find("table")
            .map_or(Vec::new(), |table| table.list().iter().map(|number| f64::from_bits(number.bits())).collect());
        let table: Vec<[f64; 3]> = numbers.chunks(3).map(|row| row.try_into().unwrap()).collect();
        let options = ActivationOptions { level: self.case.find("level").map(Json::text), table: &table };
        let made = Activation::with_options(spec, &options);
        Some(made.map(|made| self.activation = Some(made)))
    }

    fn check(&self, outcome: Result<(), Error>) -> Result<(), String> {
        let (status, message) = match &outcome {
            Ok(()) => (0, ""),
            Err(error) => (number(error.status()), error.message()),
        };
        if (status, message) != (self.case.get("status").number(), self.case.get("message").text()) {
            return Err(format!("{:?}", outcome));
        }
        for memory in &self.memories {
            memory.check()?;
        }
        if let Some(created) = self.case.find("created") {
            let activation = self.activation.as_ref().unwrap();
            let info = activation.info();
            if info.spec != created.get("spec").text()
                || !same_double(created.get("minimum"), info.gradient_minimum)
                || !same_double(created.get("maximum"), info.gradient_maximum)
            {
                return Err(format!("{:?}", info));
            }
        }
        match &self.monitor {
            Some(monitor) => saw(monitor, self.case.get("monitor").get("seen")),
            None => Ok(()),
        }
    }

    fn operand(&self, role: &str) -> Option<Operand> {
        self.case.find(role).map(Operand::new)
    }

    /// Their calls end with the type.
    fn takes_vectors(&self) -> bool {
        self.case.get("call").text().ends_with(&format!("_{}", self.case.get("type").text()))
    }

    // ---- The C functions

    fn call_raw(&mut self) -> Result<(), Error> {
        let name = self.case.get("call").text();
        let first = if self.takes_vectors() { 4 } else { 0 };
        let operands: Vec<Option<Operand>> =
            ROLES.iter().enumerate().map(|(i, role)| if i < first { None } else { self.operand(role) }).collect();
        let memories = &mut self.memories;
        let tensors: Vec<Option<sys::sugar_tensor>> =
            operands.iter().map(|operand| operand.as_ref().map(|operand| operand.tensor(memories))).collect();
        let pointers: Vec<*const sys::sugar_tensor> =
            tensors.iter().map(|tensor| tensor.as_ref().map_or(null(), |tensor| tensor as _)).collect();
        let random = self.case.find("random").map(|random| sys::sugar_random {
            seed: random.list()[0].bits(),
            offset: random.list()[1].bits(),
            ..Default::default()
        });
        let monitor = self.monitor.as_mut().map_or(null_mut(), Monitor::as_mut_ptr);
        let options = sys::sugar_call_options {
            flags: self.case.get("flags").number() as u64,
            monitor: if name == "observe" { null_mut() } else { monitor },
            parameter: pointers[6],
            parameter_gradient: pointers[7],
            saved_gradient: pointers[8],
            bias: pointers[9],
            bias_gradient: pointers[10],
            gate: pointers[11],
            gate_gradient: pointers[12],
            random: random.as_ref().map_or(null(), |random| random as _),
            ..Default::default()
        };
        let handle = self.activation.as_ref().map_or(null(), Activation::as_ptr);
        let status = unsafe {
            match name {
                "observe" => sys::sugar_monitor_observe(monitor, pointers[0], &options),
                "forward" => sys::sugar_forward(handle, pointers[0], pointers[1], &options),
                "backward" => sys::sugar_backward(handle, pointers[0], pointers[2], pointers[3], &options),
                "backward_twice" => sys::sugar_backward_twice(
                    handle,
                    pointers[0],
                    pointers[2],
                    pointers[4],
                    pointers[5],
                    pointers[3],
                    &options,
                ),
                _ => self.call_vector(handle, &options),
            }
        };
        Error::from_status(status)
    }

    unsafe fn call_vector(&self, handle: *const sys::sugar_activation, options: &sys::sugar_call_options) -> i32 {
        let n = self.case.get("n").number();
        let vector = |role: &str| match self.case.find(role) {
            Some(operand) => {
                let start = operand.find("memory").map(|index| self.memories[index.number() as usize].start());
                let address =
                    start.map_or(null_mut(), |start| start.wrapping_add(operand.get("data").number() as usize));
                (address, operand.get("step").number())
            }
            None => (null_mut(), 0),
        };
        let ((x, incx), (y, incy), (dy, incdy), (dx, incdx)) =
            (vector("x"), vector("y"), vector("dy"), vector("dx"));
        macro_rules! vector {
            ($backward:ident) => {
                sys::$backward(handle, n, x.cast(), incx, dy.cast(), incdy, dx.cast(), incdx, options)
            };
        }
        match self.case.get("call").text() {
            "forward_f32" => sys::sugar_forward_f32(handle, n, x.cast(), incx, y.cast(), incy, options),
            "forward_f64" => sys::sugar_forward_f64(handle, n, x.cast(), incx, y.cast(), incy, options),
            "forward_f16" => sys::sugar_forward_f16(handle, n, x.cast(), incx, y.cast(), incy, options),
            "forward_bf16" => sys::sugar_forward_bf16(handle, n, x.cast(), incx, y.cast(), incy, options),
            "backward_f32" => vector!(sugar_backward_f32),
            "backward_f64" => vector!(sugar_backward_f64),
            "backward_f16" => vector!(sugar_backward_f16),
            "backward_bf16" => vector!(sugar_backward_bf16),
            other => panic!("unknown call {}", other),
        }
    }

    // ---- The safe layer

    fn call(&mut self) -> Outcome {
        match self.case.get("type").text() {
            "f32" => self.call_typed::<f32>(),
            "f64" => self.call_typed::<f64>(),
            "f16" => self.call_typed::<F16>(),
            _ => self.call_typed::<Bf16>(),
        }
    }

    fn call_typed<T: Element>(&mut self) -> Outcome {
        let mut monitor = self.monitor.take();
        let outcome = if self.takes_vectors() {
            self.call_steps::<T>(monitor.as_mut())
        } else {
            self.call_views::<T>(monitor.as_mut())
        };
        self.monitor = monitor;
        outcome
    }

    /// The index of an operand's memory, which no other operand has.
    fn alone(&self, role: &str, besides: &str) -> Option<usize> {
        let of = |role: &str| self.case.find(role)?.find("memory").map(Json::number);
        let index = of(role)?;
        let shared = ROLES.iter().any(|other| *other != role && *other != besides && of(other) == Some(index));
        Some(index as usize).filter(|_| !shared)
    }

    fn operands_agree(&self, a: &str, b: &str) -> bool {
        self.case.get(a) == self.case.get(b)
    }

    fn call_steps<T: Element>(&mut self, monitor: Option<&mut Monitor>) -> Outcome {
        let n = usize::try_from(self.case.get("n").number()).ok()?;
        if ROLES[6..].iter().any(|role| self.case.find(role).is_some()) {
            return None;
        }
        let mut call = self.plain_call()?;
        if let Some(monitor) = monitor {
            call = call.monitor(monitor);
        }
        let output = if self.case.get("call").text().starts_with("forward") { "y" } else { "dx" };
        let index = self.alone(output, "")?;
        let output_step = self.case.get(output).get("step").number();
        let size = std::mem::size_of::<T>();
        let start = |role: &str| {
            let data = self.case.get(role).get("data").number() as usize;
            Some(data / size).filter(|_| data % size == 0)
        };
        let input = |role: &str| {
            let operand = self.case.find(role)?;
            let memory = &self.memories[operand.find("memory")?.number() as usize];
            Some((elements::<T>(memory).get(start(role)?..)?, operand.get("step").number()))
        };
        let (x, incx) = input("x")?;
        let from = start(output)?;
        if output == "y" {
            let y = elements_mut::<T>(&mut self.memories[index]).get_mut(from..)?;
            return representable(self.activation.as_ref()?.forward_steps(n, x, incx, y, output_step, call));
        }
        let (dy, incdy) = input("dy")?;
        let dx = elements_mut::<T>(&mut self.memories[index]).get_mut(from..)?;
        representable(self.activation.as_ref()?.backward_steps(n, x, incx, dy, incdy, dx, output_step, call))
    }

    /// A call with what needs no memory.
    fn plain_call<'c>(&self) -> Option<Call<'c>> {
        let flags = self.case.get("flags").number() as i32;
        let mut call = Call::new();
        type Setter<'c> = fn(Call<'c>) -> Call<'c>;
        let setters: [(i32, Setter<'c>); 4] = [
            (sys::SUGAR_CALL_ACCUMULATE, Call::accumulate),
            (sys::SUGAR_CALL_NONTEMPORAL, Call::nontemporal),
            (sys::SUGAR_CALL_TEMPORAL, Call::temporal),
            (sys::SUGAR_CALL_FROM_OUTPUT, Call::from_output),
        ];
        for (flag, set) in setters {
            if flags & flag != 0 {
                call = set(call);
            }
        }
        if flags & !15 != 0 {
            return None;
        }
        if let Some(random) = self.case.find("random") {
            call = call.random(random.list()[0].bits(), random.list()[1].bits());
        }
        Some(call)
    }

    /// An output that may be absent: then `Some(None)`.
    fn output<'o, T: Element>(
        &mut self,
        role: &str,
        operand: &'o Option<Operand>,
    ) -> Option<Option<ViewMut<'o, T>>> {
        match operand {
            Some(operand) => {
                let index = self.alone(role, "")?;
                Some(Some(view_mut::<T>(&mut self.memories[index], operand)?))
            }
            None => Some(None),
        }
    }

    fn call_views<T: Element>(&mut self, monitor: Option<&mut Monitor>) -> Outcome {
        let name = self.case.get("call").text();
        let operands = ROLES.map(|role| self.operand(role));
        let [x, y, dy, dx, v, ddy, parameter, parameter_gradient, saved, bias, bias_gradient, gate, gate_gradient] =
            &operands;
        let mut call = self.plain_call()?;
        if let (Some(_), "observe") = (&monitor, name) {
            let plain = self.case.get("flags").number() == 0 && parameter.is_none() && saved.is_none();
            let x = view::<T>(&self.memories, x.as_ref()?)?;
            return monitor
                .filter(|_| plain && parameter_gradient.is_none())
                .map(|monitor| monitor.observe(x, None));
        }
        if let Some(monitor) = monitor {
            call = call.monitor(monitor);
        }
        // Inputs and outputs that have the type of x, or f32 beside it.
        macro_rules! option {
            (in $option:ident) => {
                if let Some(operand) = $option {
                    self.alone(stringify!($option), "")?;
                    call = match view::<T>(&self.memories, operand) {
                        Some(values) => call.$option(values),
                        None => call.$option(view::<f32>(&self.memories, operand)?),
                    };
                }
            };
            (out $option:ident) => {
                if let Some(operand) = $option {
                    let index = self.alone(stringify!($option), "")?;
                    call = match view_mut::<T>(&mut self.memories[index], operand) {
                        Some(gradient) => call.$option(gradient),
                        None => call.$option(view_mut::<f32>(&mut self.memories[index], operand)?),
                    };
                }
            };
        }
        option!(in parameter);
        option!(out parameter_gradient);
        option!(in bias);
        option!(out bias_gradient);
        option!(in gate);
        option!(out gate_gradient);
        if let Some(saved) = saved {
            let index = self.alone("saved_gradient", "")?;
            call = saved_call(call, &mut self.memories[index], saved, name == "forward")?;
        }
        if name == "backward_twice" {
            let ddy = self.output::<T>("ddy", ddy)?;
            let dx = self.output::<T>("dx", dx)?;
            let activation = self.activation.as_ref()?;
            let x = view::<T>(&self.memories, x.as_ref()?)?;
            let dy = view::<T>(&self.memories, dy.as_ref()?)?;
            let v = view::<T>(&self.memories, v.as_ref()?)?;
            return Some(activation.backward_twice_with(x, dy, v, ddy, dx, call));
        }
        let (output, operand) = if name == "forward" { ("y", y.as_ref()?) } else { ("dx", dx.as_ref()?) };
        let activation = self.activation.as_ref()?;
        let over_x = x.is_some() && self.operands_agree("x", output);
        let over_dy = name == "backward" && dy.is_some() && self.operands_agree("dy", output);
        let index = self.alone(
            output,
            if over_x {
                "x"
            } else if over_dy {
                "dy"
            } else {
                ""
            },
        )?;
        let memories = &mut self.memories;
        if over_x && name == "forward" {
            let x = view_mut::<T>(&mut memories[index], operand)?;
            return Some(activation.forward_in_place(x, call));
        }
        if name == "forward" {
            let x = view::<T>(memories, x.as_ref()?)?;
            let y = view_mut::<T>(&mut memories[index], operand)?;
            return Some(activation.forward_with(x, y, call));
        }
        if over_x {
            let dy = view::<T>(memories, dy.as_ref()?)?;
            let x = view_mut::<T>(&mut memories[index], operand)?;
            return Some(activation.backward_over_input(x, dy, call));
        }
        if over_dy {
            let x = if x.is_some() { Some(view::<T>(memories, x.as_ref()?)?) } else { None };
            let dy = view_mut::<T>(&mut memories[index], operand)?;
            return Some(activation.backward_in_place(x, dy, call));
        }
        let dy = view::<T>(memories, dy.as_ref()?)?;
        if x.is_none() {
            let dx = view_mut::<T>(&mut memories[index], operand)?;
            return Some(activation.backward_saved(dy, dx, call));
        }
        let x = view::<T>(memories, x.as_ref()?)?;
        let dx = view_mut::<T>(&mut memories[index], operand)?;
        Some(activation.backward_with(x, dy, dx, call))
    }
}

/// What the layer refuses by itself is no outcome: the library has not seen it.
fn representable(outcome: Result<(), Error>) -> Outcome {
    match &outcome {
        Err(error) if error.message().contains("a slice of") => None,
        _ => Some(outcome),
    }
}

fn code_and_bits<T: Element>() -> (i32, i64) {
    let bits = 8 * std::mem::size_of::<T>() as i64;
    let brain = std::any::type_name::<T>().ends_with("Bf16");
    (if brain { sys::SUGAR_TYPE_BFLOAT } else { sys::SUGAR_TYPE_FLOAT }, bits)
}

fn view<'a, T: Element>(memories: &[Memory], operand: &'a Operand) -> Option<View<'a, T>> {
    let (code, bits) = code_and_bits::<T>();
    let memory = &memories[operand.memory.filter(|_| operand.has_type(code, bits))?];
    let (slice, offset) = (elements::<T>(memory), operand.offset(std::mem::size_of::<T>())?);
    let (shape, strides) = lists(operand);
    match strides {
        Some(strides) => View::strided(slice, offset, shape, strides).ok(),
        None => View::with_shape(slice.get(offset..)?, shape).ok(),
    }
}

fn view_mut<'a, T: Element>(memory: &mut Memory, operand: &'a Operand) -> Option<ViewMut<'a, T>> {
    let (code, bits) = code_and_bits::<T>();
    let offset = operand.offset(std::mem::size_of::<T>()).filter(|_| operand.has_type(code, bits))?;
    let (shape, strides) = lists(operand);
    let slice = elements_mut::<T>(memory);
    match strides {
        Some(strides) => ViewMut::strided(slice, offset, shape, strides).ok(),
        None => ViewMut::with_shape(slice.get_mut(offset..)?, shape).ok(),
    }
}

fn lists(operand: &Operand) -> (&[i64], Option<&[i64]>) {
    (&operand.shape, operand.strides.as_deref())
}

fn saved_call<'a>(call: Call<'a>, memory: &mut Memory, operand: &'a Operand, forward: bool) -> Option<Call<'a>> {
    let (shape, strides) = lists(operand);
    let offset = operand.offset(1)?;
    if operand.has_type(sys::SUGAR_TYPE_UNSIGNED, 1) && strides.is_none() {
        return if forward {
            call.save_gradient_bits(elements_mut::<u8>(memory).get_mut(offset..)?, shape).ok()
        } else {
            call.saved_gradient_bits(elements::<u8>(memory).get(offset..)?, shape).ok()
        };
    }
    if !operand.has_type(sys::SUGAR_TYPE_UNSIGNED, 8) {
        return None;
    }
    match (forward, strides) {
        (true, Some(strides)) => {
            Some(call.save_gradient(ViewMut::strided(elements_mut::<u8>(memory), offset, shape, strides).ok()?))
        }
        (true, None) => Some(
            call.save_gradient(ViewMut::with_shape(elements_mut::<u8>(memory).get_mut(offset..)?, shape).ok()?),
        ),
        (false, Some(strides)) => {
            Some(call.saved_gradient(View::strided(elements::<u8>(memory), offset, shape, strides).ok()?))
        }
        (false, None) => {
            Some(call.saved_gradient(View::with_shape(elements::<u8>(memory).get(offset..)?, shape).ok()?))
        }
    }
}

fn number(status: Status) -> i64 {
    match status {
        Status::Argument => sys::SUGAR_ERROR_ARGUMENT.into(),
        Status::Spec => sys::SUGAR_ERROR_SPEC.into(),
        Status::Unsupported => sys::SUGAR_ERROR_UNSUPPORTED.into(),
        Status::OutOfMemory => sys::SUGAR_ERROR_OUT_OF_MEMORY.into(),
        Status::Overlap => sys::SUGAR_ERROR_OVERLAP.into(),
        Status::Value => sys::SUGAR_ERROR_VALUE.into(),
        Status::Data => sys::SUGAR_ERROR_DATA.into(),
        Status::Other(other) => other.into(),
        _ => panic!("{:?}", status),
    }
}

fn saw(monitor: &Monitor, seen: &Json) -> Result<(), String> {
    let all = monitor.summary();
    let summary = seen.get("summary").list();
    let counts: Vec<i64> = summary[..5].iter().map(Json::number).collect();
    let mut right = counts == [all.units, all.samples, all.active, all.not_finite, all.dead]
        && same_double(&summary[5], all.sparsity)
        && same_double(&summary[6], all.mean)
        && same_double(&summary[7], all.deviation)
        && [i64::from(all.axis_from_end), i64::from(all.bins), all.every, all.calls, all.observed]
            == summary[8..].iter().map(Json::number).collect::<Vec<i64>>()[..];
    for (i, values) in seen.get("units").list().iter().enumerate() {
        let (unit, values) = (monitor.unit(i as i64).unwrap(), values.list());
        right = right
            && [unit.samples, unit.active, unit.not_finite]
                == [values[0].number(), values[1].number(), values[2].number()]
            && [unit.sum, unit.sum_of_squares, unit.mean, unit.deviation]
                .iter()
                .zip(&values[3..])
                .all(|(value, bits)| same_double(bits, *value));
    }
    let histogram = monitor.histogram();
    right = right
        && seen.get("counts").numbers() == histogram.counts
        && seen.get("edges").list().iter().zip(&histogram.edges).all(|(bits, edge)| same_double(bits, *edge))
        && seen.get("dead").numbers() == monitor.find_dead(0.25).unwrap();
    if right {
        Ok(())
    } else {
        Err(format!("the monitor saw {:?}", all))
    }
}

#[test]
fn all_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/vectors.json");
    let vectors = Json::read(&std::fs::read_to_string(path).expect(path));
    let cases = vectors.get("cases").list();
    let (mut raw, mut safe, mut failed) = (0, 0, 0);
    for case in cases {
        for through_c in [true, false] {
            match Replay::run(case, through_c) {
                None => continue,
                Some(Ok(())) => {}
                Some(Err(text)) => {
                    println!(
                        "{} ({}): {}",
                        case.get("name").text(),
                        if through_c { "functions" } else { "layer" },
                        text
                    );
                    failed += 1;
                }
            }
            *if through_c { &mut raw } else { &mut safe } += 1;
        }
    }
    println!(
        "{} of {} cases replayed through the functions, {} through the layer, {} failed",
        raw,
        cases.len(),
        safe,
        failed
    );
    assert_eq!((raw, failed), (vectors.get("count").number(), 0));
    assert!(safe > 200, "{} cases through the layer", safe);
}
