!> What one call on 16 elements costs, in nanoseconds: of the C function, and through the module.
program overhead
    use, intrinsic :: iso_c_binding
    use, intrinsic :: iso_fortran_env, only: int64, real64
    use libsugar
    use libsugar_c, only: sugar_forward_f32, sugar_activation_create
    implicit none
    type(sugar_activation) :: act
    type(c_ptr) :: handle
    real(c_float) :: x(16) = 1, y(16), wide(32) = 1
    integer, parameter :: calls = 200000
    integer(c_int32_t) :: status
    real(real64) :: best(4)
    integer(int64) :: start
    integer :: repetition, i
    call act%create("relu")
    status = sugar_activation_create(handle, "relu" // c_null_char)
    best = huge(best)
    do repetition = 1, 20
        call system_clock(start)
        do i = 1, calls
            status = sugar_forward_f32(handle, 16_c_int64_t, x, 1_c_int64_t, y, 1_c_int64_t)
        end do
        best(1) = min(best(1), since())
        do i = 1, calls
            call act%forward(x, y)
        end do
        best(2) = min(best(2), since())
        do i = 1, calls
            call act%forward(wide(32:2:-2), y)
        end do
        best(3) = min(best(3), since())
        do i = 1, calls
            call act%backward_in_place(x, y)
        end do
        best(4) = min(best(4), since())
    end do
    print "(a, 4f8.1)", "ns: sugar_forward_f32, forward, forward of a section, backward_in_place:", best
contains
    real(real64) function since()
        integer(int64) :: now, rate
        call system_clock(now, rate)
        since = real(now - start, real64) / real(rate, real64) * 1e9_real64 / calls
        call system_clock(start)
    end function
end program
