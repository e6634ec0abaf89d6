!> The module libsugar: arrays as they are, options, errors, what is freed. test_libsugar stop: an error that is not
!> asked for.
program test_libsugar
    use, intrinsic :: iso_fortran_env, only: int8, int16, int64, real32, real64
    use libsugar
    implicit none
    integer :: failures = 0
    character(len=8) :: mode
    call get_command_argument(1, mode)
    if (mode == "stop") call unasked()
    call sections()
    call ranks()
    call no_copies()
    call small_floats()
    call in_place()
    call options()
    call learnable()
    call bias_and_gate()
    call twice()
    call tables()
    call without_elements()
    call saved()
    call monitors()
    call errors()
    call copies()
    call catalogue()
    call info()
    if (failures > 0) error stop 1
    print "(a)", "all passed"
contains
    subroutine expect(condition, what)
        logical, intent(in) :: condition
        character(len=*), intent(in) :: what
        if (condition) return
        failures = failures + 1
        print "(2a)", "FAILED: ", what
    end subroutine

    subroutine numbers(x, seed)
        real(real64), intent(out) :: x(:)
        integer, intent(in) :: seed
        integer :: i
        do i = 1, size(x)
            x(i) = modulo(real(i * 37 + seed * 11, real64) * 0.619_real64, 6.0_real64) - 3
        end do
    end subroutine

    !> Sections of any step against the contiguous copy of them.
    subroutine sections()
        type(sugar_activation) :: act
        real(real64) :: flat(60), other(60)
        real(real32) :: x(10, 6), dy(10, 6), y(12, 7), dx(10, 6)
        real(real32), allocatable :: packed(:, :), packed_dy(:, :), result(:, :)
        call numbers(flat, 1)
        call numbers(other, 2)
        x = real(reshape(flat, [10, 6]), real32)
        dy = real(reshape(other, [10, 6]), real32)
        call act%create("silu~bsilu")
        packed = x(1:10:2, 6:1:-1)
        packed_dy = dy(9:1:-2, 1:6)
        allocate(result, mold=packed)

        y = 77
        call act%forward(packed, result)
        call act%forward(x(1:10:2, 6:1:-1), y(12:4:-2, 1:6))
        call expect(all(y(12:4:-2, 1:6) == result), "forward: sections")
        call expect(all(y(1:11:2, :) == 77) .and. all(y(:, 7) == 77), "forward: around the section")
        call expect(maxval(abs(result - packed / (1 + exp(-packed)))) < 1e-6, "forward: the formula")

        dx = 77
        call act%backward(packed, packed_dy, result)
        call act%backward(x(1:10:2, 6:1:-1), dy(9:1:-2, 1:6), dx(2:10:2, 1:6))
        call expect(all(dx(2:10:2, :) == result) .and. all(dx(1:9:2, :) == 77), "backward: sections")

        call act%backward(packed, 0.5, result)
        packed_dy = 0.5
        call act%backward(packed, packed_dy, dx(2:10:2, :))
        call expect(all(dx(2:10:2, :) == result), "backward: one dy for all")

        dx(:, 1) = 3
        call act%forward(x(1:0, :), y(1:0, 1:6))
        call act%forward(x(5:1:1, 1), dx(5:1:1, 1))
        call expect(all(dx(:, 1) == 3), "an empty section")
    end subroutine

    subroutine ranks()
        type(sugar_activation) :: act
        real(real64) :: x(24), y(24), y2(6, 4), y3(2, 3, 4), y4(2, 3, 2, 2), scalar
        call act%create("tanh")
        call numbers(x, 3)
        call act%forward(x, y)
        call expect(maxval(abs(y - tanh(x))) < 1e-14_real64, "rank 1: the formula")
        call act%forward(x(5), scalar)
        call expect(scalar == y(5), "rank 0")
        call act%forward(reshape(x, [6, 4]), y2)
        call expect(all(y2 == reshape(y, [6, 4])), "rank 2")
        call act%forward(reshape(x, [2, 3, 4]), y3)
        call expect(all(y3 == reshape(y, [2, 3, 4])), "rank 3")
        call act%forward(reshape(x, [2, 3, 2, 2]), y4)
        call expect(all(y4 == reshape(y, [2, 3, 2, 2])), "rank 4")
        call act%backward(reshape(x, [2, 3, 2, 2]), 1.0_real64, y4)
        call expect(maxval(abs(y4 - reshape(1 - y**2, shape(y4)))) < 1e-14_real64, "rank 4: the derivative")
    end subroutine

    !> Arguments that share elements are an error of the library: it would not see it in copies.
    subroutine no_copies()
        type(sugar_activation) :: act
        real(real32), target :: a(20)
        real(real32), pointer :: from(:), to(:)
        integer :: stat
        character(len=200) :: message
        call act%create("relu")
        a = -1
        from => a(1:17:2)
        to => a(19:3:-2)
        call act%forward(from, to, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_OVERLAP .and. index(message, "overlap") > 0 .and. all(a == -1), &
            "sections that overlap: " // trim(message))
        from => a(1:19:2)
        to => a(2:20:2)
        call act%forward(from, to)
        call expect(all(a(1:19:2) == -1) .and. all(a(2:20:2) == 0), "sections that interleave")
    end subroutine

    subroutine small_floats()
        type(sugar_activation) :: act
        ! -1, 2, inf in f16 and in bf16
        integer(int16) :: x(3), y(3), dx(3), b(3)
        x = int([int(z"bc00") - 65536, int(z"4000"), int(z"7c00")], int16)
        b = int([int(z"bf80") - 65536, int(z"4000"), int(z"7f80")], int16)
        call act%create("relu")
        call act%forward_f16(x(3:1:-1), y)
        call expect(all(y == [int(z"7c00"), int(z"4000"), 0]), "forward_f16")
        call act%backward_f16(x, x(2), dx)
        call expect(all(dx == [0, int(z"4000"), int(z"4000")]), "backward_f16")
        call act%forward_bf16(b(1:3:2), y(1:2))
        call expect(all(y(1:2) == [0, int(z"7f80")]), "forward_bf16")
        call act%backward_in_place_bf16(b, y)
        call act%forward_in_place_bf16(b)
        call expect(all(b == [0, int(z"4000"), int(z"7f80")]), "forward_in_place_bf16")
        call act%forward_in_place_f16(x)
        call act%backward_bf16(b, b(2), dx)
        call act%backward_in_place_f16(x, dx)
    end subroutine

    subroutine in_place()
        type(sugar_activation) :: act
        real(real64) :: x(24), y(24), dy(24), dx(24)
        call act%create("gelu")
        call numbers(x, 4)
        call numbers(dy, 5)
        call act%forward(x, y)
        call act%backward(x, dy, dx)
        call act%backward_in_place(x, dy(24:1:-1))
        call act%backward(x, dy, y)
        call numbers(dy, 5)
        call act%backward_in_place(x(2:24:2), dy(2:24:2))
        call expect(all(dy(2:24:2) == dx(2:24:2)), "backward_in_place")
        call act%forward(x, y)
        dx = x
        call act%forward_in_place(x(1:24:3))
        call expect(all(x(1:24:3) == y(1:24:3)) .and. all(x(2:24:3) == dx(2:24:3)), "forward_in_place")
    end subroutine

    subroutine options()
        type(sugar_activation) :: act
        type(sugar_context) :: context, all_threads, zero, none
        real(real64), allocatable :: x(:), y(:), dx(:), other(:)
        allocate(x(200000), y(200000), dx(200000), other(200000))
        call numbers(x, 6)
        call act%create("sigmoid")
        call context%create(threads=3)
        call expect(context%threads() == 3 .and. none%threads() == 1, "three threads, and none")
        call all_threads%create()
        call zero%create(0)
        call expect(all_threads%threads() >= 1 .and. zero%threads() == all_threads%threads(), "all threads")
        call act%forward(x, y)
        call act%forward(x, other, context=context, nontemporal=.true.)
        call expect(all(y == other), "threads, streamed")
        call act%forward(x, other, context=all_threads)
        call expect(all(y == other), "all threads")
        call act%forward(x, other, nontemporal=.false.)
        call expect(all(y == other), "not streamed")
        call act%backward(x, 1.0_real64, dx)
        other = 2
        call act%backward(x, 1.0_real64, other, accumulate=.true., context=context)
        call expect(maxval(abs(other - 2 - dx)) < 1e-15_real64, "accumulate")
        call act%backward(y, 1.0_real64, other, from_output=.true.)
        call expect(maxval(abs(other - dx)) < 1e-15_real64, "from_output")
        call act%backward(y, 1.0_real64, other, from_output=.false., accumulate=.false.)
        call expect(maxval(abs(other - dx)) > 1e-3_real64, "from_output = .false.")
        call act%create("rrelu")
        x = -1
        call act%forward(x, y, random=sugar_random(seed=7_int64, offset=0_int64))
        call act%forward(x(5:), other(5:), random=sugar_random(seed=7_int64, offset=1_int64), context=context)
        call expect(all(y(5:) == other(5:)) .and. minval(y) < maxval(y), "random slopes")
        call act%forward(reshape(x(1:12), [3, 4]), dx, random=sugar_random(seed=7_int64), stat=failures)
        call expect(failures == SUGAR_ERROR_ARGUMENT, "shapes that differ")
        failures = 0
        block
            real(real64) :: square(3, 4)
            square = -1
            call act%forward_in_place(square, random=sugar_random(seed=7_int64, offset=0_int64))
            call expect(all(reshape(square, [12]) == y(1:12)), "random slopes in array element order")
        end block
    end subroutine

    !> A bias for each column, a gate for each element, and their gradients; in f16 a bias of either type.
    subroutine bias_and_gate()
        type(sugar_activation) :: act
        real(real32) :: x(2, 3), y(2, 3), dx(2, 3), gate(2, 3), product(2, 3), bias(1, 3), sums(1, 3), total
        integer(int8) :: bits(1)
        integer(int16) :: half(3)
        integer :: stat
        character(len=100) :: message
        call act%create("relu")
        x = reshape([-1.0, 1.0, 2.0, -2.0, 0.5, 3.0], [2, 3])
        gate = reshape([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])
        bias(1, :) = [0.5, 1.0, -1.0]
        call act%forward(x, y, bias=bias, gate=gate)
        call expect(all(y == max(x + spread(bias(1, :), 1, 2), 0.0) * gate), "bias and gate")
        call act%forward(x, y, bias=0.5, gate=2.0)
        call expect(all(y == max(x + 0.5, 0.0) * 2), "one bias, one gate")
        call act%backward(x, 10.0, dx, bias=bias, bias_gradient=sums, gate=gate, gate_gradient=product)
        call expect(all(dx == merge(10 * gate, 0.0, x + spread(bias(1, :), 1, 2) > 0)), "backward: bias and gate")
        call expect(all(sums(1, :) == sum(dx, 1)), "the gradient of a bias")
        call expect(all(product == 10 * max(x + spread(bias(1, :), 1, 2), 0.0)), "the gradient of a gate")
        call act%backward(x, 10.0, dx, bias=bias, bias_gradient=total)
        call expect(total == sum(dx), "the gradient of one bias")
        bits = 0
        call act%forward(x, y, bias=bias, saved_bits=bits)
        call expect(bits(1) == int(b"100110", int8), "saved_bits beside a bias")
        half = [int(z"bc00") - 65536, int(z"3c00"), 0]
        call act%forward_in_place_f16(half, bias=0.5)
        call expect(all(half == [0, int(z"3e00"), int(z"3800")]), "f16, a bias of f32")
        call act%forward_in_place_f16(half, bias=[integer(int16) :: int(z"3c00"), 0, 0])
        call expect(all(half == [int(z"3c00"), int(z"3e00"), int(z"3800")]), "f16, a bias of f16")
        call act%forward_in_place_f16(half, bias=1d0, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "expected elements of the type of x") > 0, &
            "f16, a bias of f64: " // trim(message))
        call act%forward(x, y, gate=gate(1, :), stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "gate: shape (3,)") == 1, trim(message))
    end subroutine

    subroutine twice()
        type(sugar_activation) :: act
        real(real64) :: x(3) = [-1, 1, 2], dy(3) = [1, 10, 100], v(3) = [1, 2, 3], ddy(3), dx(3)
        integer(int16) :: half(1) = int(z"3c00"), out(1)
        integer :: stat
        character(len=100) :: message
        call act%create("square")
        call act%backward_twice(x, dy, v, ddy, dx)
        call expect(all(ddy == 2 * x * v) .and. all(dx == 2 * dy * v), "backward_twice")
        call act%backward_twice(x, dy, v, dx=dx, accumulate=.true.)
        call expect(all(dx == 4 * dy * v), "backward_twice: one output, added")
        call act%backward_twice(x, 2d0, 3d0, ddy=ddy)
        call expect(all(ddy == 6 * x), "backward_twice: scalars")
        call act%backward_twice_f16(half, half, half, dx=out)
        call expect(out(1) == int(z"4000"), "backward_twice_f16")
        call act%backward_twice(x, dy, v, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "ddy: NULL, and dx NULL") == 1, trim(message))
    end subroutine

    subroutine tables()
        type(sugar_activation) :: act, copy
        real(real64) :: knots(3, 2) = reshape([0, 0, 0, 1, 1, 0], [3, 2]), x(3) = [-1d0, 0.5d0, 3d0]
        integer :: stat
        character(len=100) :: message
        call act%create("table", table=knots)
        copy = act
        call expect(copy%spec() == act%spec() .and. index(act%spec(), "table(digest=") == 1, "a copy of a table")
        call act%create("relu")
        call copy%forward_in_place(x)
        call expect(all(x == [0d0, 0.5d0, 1d0]), "a table")
        copy = act
        call expect(copy%spec() == "relu", "no table any more")
        call act%create("table", stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "table: NULL") > 0, trim(message))
        call act%create("table", table=knots(:2, :), stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "table: 2 numbers") == 1, trim(message))
    end subroutine

    !> A slope for each channel, the middle dimension.
    subroutine learnable()
        type(sugar_activation) :: act
        real(real32) :: x(5, 3, 2), y(5, 3, 2), dx(5, 3, 2), slopes(1, 3, 1), gradient(1, 3, 1), total
        integer :: c
        call act%create("prelu")
        x = -2
        x(1, :, :) = 3
        slopes(1, :, 1) = [0.25, 0.5, 0.75]
        call act%forward(x, y, parameter=slopes)
        do c = 1, 3
            call expect(all(y(2:, c, :) == -2 * slopes(1, c, 1)) .and. all(y(1, c, :) == 3), "a slope for each channel")
        end do
        call act%backward(x, 1.0, dx, parameter=slopes, parameter_gradient=gradient)
        call expect(all(gradient == -16), "its gradient")
        call act%forward(x, y, parameter=0.5)
        call expect(all(y(2:, :, :) == -1), "one slope")
        call act%backward(x, 1.0, dx, parameter=0.5, parameter_gradient=total)
        call expect(nint(total) == -48, "the gradient of one slope")
        call act%backward(x, 1.0, dx, parameter=0.5, parameter_gradient=total, accumulate=.true.)
        call expect(nint(total) == -96, "the gradient, added")
        call act%backward(x, 1.0, dx, parameter=slopes, parameter_gradient=y)
        call expect(all(y(2:, :, :) == -2) .and. all(y(1, :, :) == 0), "a gradient of another shape")
    end subroutine

    !> Every operand without elements; a gradient that has some holds sums over nothing.
    subroutine without_elements()
        type(sugar_activation) :: prelu, relu, rrelu
        type(sugar_monitor) :: monitor
        type(sugar_monitor_summary) :: summary
        real(real64) :: x(9, 3), sums(1, 3), total
        integer(int8) :: codes(9, 3)
        call prelu%create("prelu")
        call relu%create("relu")
        call rrelu%create("rrelu")
        call monitor%create(3_int64, dim=2)
        x = 7
        codes = 7
        sums = 7
        total = 7
        call relu%forward(x(5:4:2, :), x(9:10:-3, :), monitor=monitor)
        call monitor%observe(x(1:0, :))
        call monitor%get(summary)
        call prelu%forward(x(5:4:2, :), x(9:10:-3, :), parameter=x(2:1, :))
        call prelu%backward(x(1:0, :), x(1:0, :), x(5:4:2, :), parameter=x(2:1, :), parameter_gradient=x(9:10:-3, :))
        call relu%forward(x(1:0, :), x(2:1, :), saved_gradient=codes(9:10:-3, :))
        call relu%backward(dy=x(1:0, :), dx=x(2:1, :), saved_gradient=codes(9:10:-3, :))
        call relu%forward(x(1:0, :), x(2:1, :), saved_bits=codes(9:10:-3, 1))
        call relu%backward(dy=x(1:0, :), dx=x(2:1, :), saved_bits=codes(::4, 2))
        call rrelu%forward(x(1:0, :), x(2:1, :), random=sugar_random(seed=1))
        call expect(all(x == 7) .and. all(codes == 7) .and. summary%samples == 0, "operands without elements")
        call prelu%backward(x(1:0, :), x(1:0, :), x(2:1, :), parameter=0.5_real64, parameter_gradient=sums)
        call prelu%backward(x(1:0, :), 1.0_real64, x(2:1, :), parameter_gradient=total)
        call expect(all(sums == 0) .and. total == 0, "sums over nothing")
    end subroutine

    subroutine saved()
        type(sugar_activation) :: act
        real(real64) :: x(7, 3), y(7, 3), dx(7, 3), other(7, 3), flat(21)
        integer(int8) :: bytes(7, 6), bits(3)
        integer :: stat
        character(len=200) :: message
        call numbers(flat, 7)
        x = reshape(flat, [7, 3])
        bits = 0
        call act%create("relu")
        call act%backward(x, 1.0_real64, dx)
        call act%forward(x, y, saved_bits=bits)
        call act%backward(dy=1.0_real64, dx=other, saved_bits=bits)
        call expect(all(dx == other), "saved_bits")
        call expect(btest(bits(1), 3) .eqv. x(4, 1) > 0, "saved_bits in array element order")
        call act%backward(dy=1.0_real64, dx=other, saved_bits=bits(1:2), stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "saved_bits") == 1, "too few bits")
        call act%create("sigmoid")
        call act%backward(x, 1.0_real64, dx)
        call act%forward(x, y, saved_gradient=bytes(:, 6:2:-2))
        call act%backward(dy=1.0_real64, dx=other, saved_gradient=bytes(:, 6:2:-2))
        call expect(maxval(abs(dx - other)) <= 0.25_real64 / 510 + 1e-12_real64, "saved_gradient")
    end subroutine

    subroutine monitors()
        type(sugar_activation) :: act
        type(sugar_monitor) :: monitor, other, third
        type(sugar_monitor_summary) :: summary
        type(sugar_monitor_unit) :: unit
        real(real32) :: x(4, 5), y(4, 5)
        integer(int64), allocatable :: dead(:)
        integer(int64) :: counts(SUGAR_MONITOR_BINS + 2)
        real(real64) :: edges(SUGAR_MONITOR_BINS)
        integer(int8), allocatable :: bytes(:)
        integer :: stat
        character(len=100) :: message
        x = 1
        x(2, :) = -1
        call act%create("relu")
        call monitor%create(4_int64)
        call act%forward(x, y, monitor=monitor)
        call monitor%get(summary)
        call expect(summary%samples == 20 .and. summary%active == 15 .and. summary%dead == 1, "a monitor")
        call monitor%find_dead(0.0_real64, dead)
        call expect(size(dead) == 1, "find_dead")
        if (size(dead) == 1) call expect(dead(1) == 2, "units from 1")
        call monitor%get_unit(2_int64, unit)
        call expect(unit%samples == 5 .and. unit%active == 0, "get_unit")
        counts = 0
        edges = 99
        call monitor%histogram(counts, edges)
        call expect(sum(counts) == 20 .and. edges(1) == -8 .and. edges(SUGAR_MONITOR_BINS - 1) == 8 .and. &
            edges(SUGAR_MONITOR_BINS) == 99, "histogram")
        call monitor%histogram(counts, edges(:5), stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "capacity: 6, expected 32") > 0, "few edges")
        call other%create(5_int64, dim=2, threshold=-2.0_real64)
        call other%observe(x)
        call other%get(summary)
        call expect(summary%active == 20, "observe, dim, threshold")
        call other%create(5_int64, dim=0, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. &
            index(message, "dim: 0, expected 1, the first dimension, to 64") == 1, "dim of 0")
        call other%create(5_int64, bins=33, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_UNSUPPORTED .and. index(message, "bins 33") > 0, "bins")
        call other%create(5_int64, dim=2, bins=SUGAR_MONITOR_BINS)
        call other%observe(real(x, real64))
        call other%get(summary)
        call expect(summary%units == 5 .and. summary%active == 15 .and. summary%axis_from_end == 1, "dim of 2")
        call other%create(4_int64, dim=1)
        call other%observe(x)
        call other%merge(monitor)
        call monitor%save(bytes)
        call third%restore(bytes)
        call third%merge(other)
        call third%get(summary)
        call expect(summary%samples == 60, "merge, save, restore")
        call third%reset()
        call third%get(summary)
        call expect(summary%samples == 0, "reset")
    end subroutine

    subroutine errors()
        type(sugar_activation) :: act
        type(sugar_context) :: context
        type(sugar_monitor) :: monitor
        integer :: stat
        character(len=100) :: message
        character(len=8) :: short
        real(real32) :: x(3) = 0, y(4)
        message = "as it was"
        call act%create("relu", stat=stat, errmsg=message)
        call expect(stat == SUGAR_OK .and. message == "as it was", "no error")
        call act%create("rellu", stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_SPEC .and. index(message, "rellu") > 0, "a spec: " // trim(message))
        call expect(act%spec() == "relu", "what was there stays")
        call act%forward(x, y, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "shape") > 0, "a shape: " // trim(message))
        call act%forward(x, y, stat=stat, errmsg=short)
        call expect(short == message(1:8), "a short errmsg")
        call act%create("relu", level="avx9", stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_UNSUPPORTED, "a level: " // trim(message))
        call act%forward_in_place(x, context=context, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "not created") > 0, "a context not created")
        call act%forward_in_place(x, monitor=monitor, stat=stat)
        call expect(stat == SUGAR_ERROR_ARGUMENT, "a monitor not created")
        call context%create(0, stat=stat)
        call context%create(-1, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. index(message, "threads") > 0, "threads: " // trim(message))
        call act%destroy()
        call act%forward_in_place(x, stat=stat, errmsg=message)
        call expect(stat == SUGAR_ERROR_ARGUMENT .and. act%spec() == "" .and. act%level() == "", "no activation")
        call expect(sugar_status_text(SUGAR_ERROR_SPEC) == "SUGAR_ERROR_SPEC", "the name of a status")
    end subroutine

    subroutine copies()
        type(sugar_activation) :: a, b, many(3)
        type(sugar_context) :: one, two
        type(sugar_monitor) :: monitor, other
        type(sugar_monitor_summary) :: summary
        real(real32) :: x(2) = [-1.0, 2.0]
        call a%create("leaky_relu(negative_slope=0.5)")
        b = a
        many = a
        call a%destroy()
        call b%forward_in_place(x)
        call expect(all(x == [-0.5, 2.0]) .and. many(3)%spec() == b%spec() .and. b%level() /= "", "copies")
        b = a
        call expect(b%spec() == "", "a copy of nothing")
        call one%create(2)
        two = one
        call one%destroy()
        call many(1)%forward_in_place(x, context=two)
        two = one
        call monitor%create(2_int64)
        call monitor%observe(x)
        other = monitor
        call monitor%destroy()
        call other%get(summary)
        call expect(summary%samples == 2, "a copy of a monitor")
        other = monitor
    end subroutine

    subroutine info()
        type(sugar_activation) :: act
        type(sugar_activation_info) :: found
        type(sugar_kind) :: kind
        integer :: stat
        call act%create("hardtanh(min_val=-2,max_val=0.5)~relu(domain=negative,blend=0.25)")
        call act%info(found)
        call expect(sugar_string(found%spec) == act%spec() .and. sugar_string(found%level) == act%level(), "info")
        call expect(all(sugar_numbers(found%forward_parameters, found%forward_parameter_count) == [-2d0, 0.5d0]), &
            "the parameters of the forward function")
        call expect(size(sugar_numbers(found%surrogate_parameters, found%surrogate_parameter_count)) == 0, &
            "a surrogate without parameters")
        stat = sugar_kind_get(found%surrogate_kind, kind)
        call expect(sugar_string(kind%name) == "relu", "the surrogate")
        call expect(found%domain == SUGAR_DOMAIN_NEGATIVE .and. found%blend == 0.25d0, "domain and blend")
        call expect(found%gradient_minimum == 0 .and. found%gradient_maximum == 1, "the bounds of the derivative")
        call act%destroy()
        call act%info(found, stat=stat)
        call expect(stat == SUGAR_ERROR_ARGUMENT, "info of nothing")
    end subroutine

    subroutine catalogue()
        type(sugar_kind) :: kind
        integer :: i
        logical :: found
        found = .false.
        do i = 0, sugar_kind_count() - 1
            if (sugar_kind_get(i, kind) /= SUGAR_OK) call expect(.false., "sugar_kind_get")
            found = found .or. sugar_string(kind%name) == "relu"
        end do
        call expect(found, "the catalogue")
        call expect(sugar_version() == 10000 * SUGAR_VERSION_MAJOR + 100 * SUGAR_VERSION_MINOR + SUGAR_VERSION_PATCH, &
            "the version")
    end subroutine

    subroutine unasked()
        type(sugar_activation) :: act
        call act%create("rellu")
    end subroutine
end program
