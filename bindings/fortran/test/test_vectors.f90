!> All shared vectors, bit for bit, through the C functions: test_vectors FILE, which vectors.py wrote.
module replay
    use, intrinsic :: iso_c_binding
    use, intrinsic :: iso_fortran_env, only: int8, int64
    use, intrinsic :: ieee_arithmetic, only: ieee_is_nan
    use libsugar_c
    implicit none

    type :: memory
        character(len=4) :: type = ""
        integer :: width = 0, size = 0
        integer(int64), pointer :: words(:) => null()   ! for its alignment
        integer(int8), pointer :: bytes(:) => null()
        integer(int8), allocatable :: after(:)
    end type

    type :: operand
        logical :: present = .false.
        type(c_ptr) :: address = c_null_ptr
        integer(c_int64_t) :: step = 0
        type(sugar_tensor) :: tensor
        integer(c_int64_t), pointer :: extents(:) => null()
    end type

    integer :: unit, failures = 0
    character(len=4096) :: line, name
contains
    subroutine next()
        read (unit, "(a)") line
    end subroutine

    subroutine expect(condition, what)
        logical, intent(in) :: condition
        character(len=*), intent(in) :: what
        if (condition) return
        failures = failures + 1
        print "(4a)", "FAILED: ", trim(name), ": ", what
    end subroutine

    !> The bytes behind the ":" of the line.
    function hexadecimal() result(bytes)
        integer(int8), allocatable :: bytes(:)
        integer :: i, value
        allocate(bytes((len_trim(line) - 1) / 2))
        do i = 1, size(bytes)
            read (line(2 * i:2 * i + 1), "(z2)") value
            bytes(i) = int(merge(value - 256, value, value > 127), int8)
        end do
    end function

    !> The string on the next line; not allocated if absent.
    subroutine read_string(string)
        character(len=:), allocatable, intent(out) :: string
        call next()
        if (line == "-") return
        string = text_of(hexadecimal())
    end subroutine

    function text_of(bytes) result(string)
        integer(int8), intent(in) :: bytes(:)
        character(len=size(bytes)) :: string
        integer :: i
        do i = 1, size(bytes)
            string(i:i) = achar(iand(int(bytes(i)), 255))
        end do
    end function

    function text(pointer) result(string)
        type(c_ptr), intent(in) :: pointer
        character(len=:), allocatable :: string
        character(kind=c_char), pointer :: characters(:)
        integer :: length
        string = ""
        if (.not. c_associated(pointer)) return
        call c_f_pointer(pointer, characters, [4096])
        do length = 1, 4096
            if (characters(length) == c_null_char) exit
            string = string // characters(length)
        end do
    end function

    subroutine read_memory(block)
        type(memory), intent(out) :: block
        call next()
        read (line, *) block%width, block%size, block%type
        allocate(block%words(block%size / 8 + 1))
        call c_f_pointer(c_loc(block%words), block%bytes, [block%size])
        call next()
        block%bytes = hexadecimal()
        call next()
        block%after = hexadecimal()
    end subroutine

    subroutine read_operand(item, memories, flat)
        type(operand), intent(out) :: item
        type(memory), intent(in) :: memories(0:)
        logical, intent(in) :: flat
        integer(c_int64_t) :: head(9), all(9 + 128)
        integer :: rank
        call next()
        if (line == "-") return
        item%present = .true.
        read (line, *) head(1:3)
        if (head(1) >= 0) item%address = moved(c_loc(memories(head(1))%words), head(2))
        item%step = head(3)
        if (flat) return
        read (line, *) head
        rank = int(head(8))
        read (line, *) all(1:9 + rank * int(1 + head(9)))
        allocate(item%extents(max(2 * rank, 1)), source=0_c_int64_t)
        item%extents(1:rank * int(1 + head(9))) = all(10:9 + rank * int(1 + head(9)))
        item%tensor = sugar_tensor(data=item%address, device=sugar_device(int(head(3), c_int32_t), 0), ndim=rank, &
            dtype=sugar_data_type(int(head(4), c_int8_t), int(head(5), c_int8_t), int(head(6), c_int16_t)), &
            shape=c_loc(item%extents), byte_offset=head(7))
        if (head(9) == 1) item%tensor%strides = moved(c_loc(item%extents), 8_c_int64_t * rank)
    end subroutine

    function moved(address, bytes) result(pointer)
        type(c_ptr), intent(in) :: address
        integer(c_int64_t), intent(in) :: bytes
        type(c_ptr) :: pointer
        pointer = transfer(transfer(address, 0_c_intptr_t) + bytes, pointer)
    end function

    !> The same bits, or two NaNs.
    function same(block) result(equal)
        type(memory), intent(in) :: block
        logical :: equal
        integer :: i
        equal = .true.
        do i = 0, block%size - block%width, block%width
            if (all(block%bytes(i + 1:i + block%width) == block%after(i + 1:i + block%width))) cycle
            equal = equal .and. is_nan(block%bytes(i + 1:i + block%width)) .and. &
                is_nan(block%after(i + 1:i + block%width))
        end do
    contains
        logical function is_nan(bytes)
            integer(int8), intent(in) :: bytes(:)
            integer(int64) :: bits, magnitude, infinity
            integer(int8) :: padded(8)
            padded = 0
            padded(1:size(bytes)) = bytes
            bits = transfer(padded, bits)   ! little-endian, as are the machines tested
            magnitude = iand(bits, shiftr(not(0_int64), 65 - 8 * size(bytes)))
            select case (block%type)
            case ("f64"); infinity = shiftl(2047_int64, 52)
            case ("f32"); infinity = int(z"7f800000", int64)
            case ("f16"); infinity = int(z"7c00", int64)
            case ("bf16"); infinity = int(z"7f80", int64)
            case default; infinity = huge(infinity)
            end select
            is_nan = magnitude > infinity
        end function
    end function

    integer(int64) function bits(value)
        real(c_double), intent(in) :: value
        bits = transfer(value, bits)
        if (ieee_is_nan(value)) bits = int(z"7ff8000000000000", int64)
    end function

    subroutine compare_monitor(monitor)
        type(c_ptr), intent(in) :: monitor
        type(sugar_monitor_summary) :: summary
        type(sugar_monitor_unit) :: one
        integer(int64) :: counts(SUGAR_MONITOR_BINS), found(64), count, expected(512)
        real(c_double) :: edges(SUGAR_MONITOR_BINS - 1)
        integer(int64), allocatable :: seen(:)
        integer(c_int32_t) :: status
        integer(int64) :: i
        status = sugar_monitor_get(monitor, summary)
        call next()
        read (line, *) expected(1:13)
        call expect(all(expected(1:13) == [summary%units, summary%samples, summary%active, summary%not_finite, &
            summary%dead, bits(summary%sparsity), bits(summary%mean), bits(summary%deviation), &
            int(summary%axis_from_end, int64), int(summary%bins, int64), summary%every, summary%calls, &
            summary%observed]), "summary")
        allocate(seen(0))
        do i = 0, summary%units - 1
            status = sugar_monitor_get_unit(monitor, i, one)
            seen = [seen, one%samples, one%active, one%not_finite, bits(one%sum), bits(one%sum_of_squares), &
                bits(one%mean), bits(one%deviation)]
        end do
        call next()
        read (line, *) expected(1:size(seen))
        call expect(all(expected(1:size(seen)) == seen), "units")
        status = sugar_monitor_get_histogram(monitor, counts, edges, SUGAR_MONITOR_BINS)
        call next()
        read (line, *) expected(1:size(counts))
        call expect(all(expected(1:size(counts)) == counts), "counts")
        call next()
        read (line, *) expected(1:size(edges))
        call expect(all(expected(1:size(edges)) == [(bits(edges(i)), i = 1, size(edges))]), "edges")
        status = sugar_monitor_find_dead(monitor, 0.25_c_double, found, 64_c_int64_t, count)
        call next()
        read (line, *) expected(1)
        call expect(status == SUGAR_OK .and. count == expected(1), "dead units")
        if (count /= expected(1)) return
        read (line, *) expected(1:1 + count)
        call expect(all(expected(2:1 + count) == found(1:count)), "dead units")
    end subroutine

    subroutine replay_case()
        character(len=16) :: call, type
        character(len=:), allocatable :: spec, level, message
        character(kind=c_char, len=:), allocatable, target :: c_level
        type(memory), allocatable :: memories(:)
        type(operand), target :: items(13)
        type(sugar_activation_options) :: creation
        type(sugar_monitor_options) :: monitor_options
        type(sugar_call_options) :: options
        type(sugar_random), target :: random
        type(c_ptr) :: activation, monitor
        integer(c_int64_t) :: n, expected(7)
        integer(c_int32_t) :: status
        type(sugar_activation_info) :: info
        integer(int64), allocatable :: bits_of_table(:)
        real(c_double), allocatable, target :: table(:)
        integer :: count, i
        read (unit, "(a)") name
        call next()
        read (line, *) call, type
        call read_string(spec)
        call read_string(level)
        call next()
        read (line, *) count
        allocate(bits_of_table(count))
        read (line, *) count, bits_of_table
        call next()
        read (line, *) options%flags, n
        call next()
        read (line, *) count
        allocate(memories(0:count - 1))
        do i = 0, count - 1
            call read_memory(memories(i))
        end do
        do i = 1, size(items)
            call read_operand(items(i), memories, index(call, "_" // trim(type)) > 0 .and. i <= 4)
        end do
        options%parameter = option(7)
        options%parameter_gradient = option(8)
        options%saved_gradient = option(9)
        options%bias = option(10)
        options%bias_gradient = option(11)
        options%gate = option(12)
        options%gate_gradient = option(13)
        call next()
        if (line /= "-") then
            read (line, *) random%seed, random%offset
            options%random = c_loc(random)
        end if
        call next()
        monitor = c_null_ptr
        if (line /= "-") then
            read (line, *) expected
            monitor_options = sugar_monitor_options(axis_from_end=int(expected(2), c_int32_t), &
                bins=int(expected(3), c_int32_t), threshold=transfer(expected(4), 0.0_c_double), &
                minimum=transfer(expected(5), 0.0_c_double), maximum=transfer(expected(6), 0.0_c_double), &
                every=expected(7))
            call expect(sugar_monitor_create(monitor, expected(1), monitor_options) == SUGAR_OK, "monitor")
            if (call /= "observe") options%monitor = monitor
        end if
        activation = c_null_ptr
        status = SUGAR_OK
        if (allocated(spec)) then
            if (allocated(level)) then
                c_level = level // c_null_char
                creation%level = c_loc(c_level)
            end if
            table = transfer(bits_of_table, [0.0_c_double])
            if (size(table) > 0) creation%table = c_loc(table)
            creation%table_knots = size(table, kind=c_size_t) / 3
            status = sugar_activation_create_with_options(activation, spec, len(spec, c_size_t), creation)
        end if
        if (status == SUGAR_OK .and. call /= "create") status = called()
        if (c_associated(monitor)) call compare_monitor(monitor)
        call next()
        read (line, *) expected(1)
        call expect(expected(1) == status, "status")
        call read_string(message)
        if (status /= SUGAR_OK) call expect(message == text(sugar_last_error()), text(sugar_last_error()))
        do i = 0, size(memories) - 1
            call expect(same(memories(i)), "memory")
            deallocate(memories(i)%words)
        end do
        do i = 1, size(items)
            if (associated(items(i)%extents)) deallocate(items(i)%extents)
        end do
        call read_string(message)
        if (allocated(message)) then
            status = sugar_activation_get_info(activation, info)
            call expect(message == text(info%spec), "spec")
            call next()
            read (line, *) expected(1:2)
            call expect(all(expected(1:2) == [bits(info%gradient_minimum), bits(info%gradient_maximum)]), &
                "range of the gradient")
        end if
        call sugar_activation_destroy(activation)
        call sugar_monitor_destroy(monitor)
    contains
        integer(c_int32_t) function called() result(status)
            type(sugar_tensor), pointer :: x, y, dy, dx
            x => tensor(1)
            y => tensor(2)
            dy => tensor(3)
            dx => tensor(4)
            select case (call)
            case ("forward"); status = sugar_forward(activation, x, y, options)
            case ("backward"); status = sugar_backward(activation, x, dy, dx, options)
            case ("backward_twice"); status = sugar_backward_twice(activation, x, dy, tensor(5), tensor(6), dx, options)
            case ("observe"); status = sugar_monitor_observe(monitor, x, options)
            case ("forward_f32")
                status = sugar_forward_f32(activation, n, f32(1), step(1), f32(2), step(2), options)
            case ("forward_f64")
                status = sugar_forward_f64(activation, n, f64(1), step(1), f64(2), step(2), options)
            case ("forward_f16")
                status = sugar_forward_f16(activation, n, u16(1), step(1), u16(2), step(2), options)
            case ("forward_bf16")
                status = sugar_forward_bf16(activation, n, u16(1), step(1), u16(2), step(2), options)
            case ("backward_f32")
                status = sugar_backward_f32(activation, n, f32(1), step(1), f32(3), step(3), f32(4), step(4), options)
            case ("backward_f64")
                status = sugar_backward_f64(activation, n, f64(1), step(1), f64(3), step(3), f64(4), step(4), options)
            case ("backward_f16")
                status = sugar_backward_f16(activation, n, u16(1), step(1), u16(3), step(3), u16(4), step(4), options)
            case ("backward_bf16")
                status = sugar_backward_bf16(activation, n, u16(1), step(1), u16(3), step(3), u16(4), step(4), options)
            case default; error stop "an unknown call"
            end select
        end function

        type(c_ptr) function option(i)
            integer, intent(in) :: i
            option = c_null_ptr
            if (items(i)%present) option = c_loc(items(i)%tensor)
        end function

        ! A pointer that leads nowhere is an absent argument: NULL.
        function tensor(i) result(pointer)
            integer, intent(in) :: i
            type(sugar_tensor), pointer :: pointer
            nullify(pointer)
            if (items(i)%present) pointer => items(i)%tensor
        end function

        function f32(i) result(pointer)
            integer, intent(in) :: i
            real(c_float), pointer, contiguous :: pointer(:)
            nullify(pointer)
            if (c_associated(items(i)%address)) call c_f_pointer(items(i)%address, pointer, [1])
        end function

        function f64(i) result(pointer)
            integer, intent(in) :: i
            real(c_double), pointer, contiguous :: pointer(:)
            nullify(pointer)
            if (c_associated(items(i)%address)) call c_f_pointer(items(i)%address, pointer, [1])
        end function

        function u16(i) result(pointer)
            integer, intent(in) :: i
            integer(c_int16_t), pointer, contiguous :: pointer(:)
            nullify(pointer)
            if (c_associated(items(i)%address)) call c_f_pointer(items(i)%address, pointer, [1])
        end function

        integer(c_int64_t) function step(i)
            integer, intent(in) :: i
            step = items(i)%step
        end function
    end subroutine
end module replay

program test_vectors
    use replay
    implicit none
    character(len=1024) :: path
    integer :: cases, i
    call get_command_argument(1, path)
    open (newunit=unit, file=path, action="read", status="old")
    read (unit, *) cases
    do i = 1, cases
        call replay_case()
    end do
    print "(i0, a, i0, a)", cases, " vectors, ", failures, " failures"
    if (failures > 0 .or. cases < 1) error stop 1
end program
