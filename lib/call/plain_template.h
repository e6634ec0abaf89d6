/* The part of plain.c that depends on the element type. The includer defines, and this file undefines:
 *
 *   T        an element in memory
 *   REAL     what it is computed in
 *   CODE     the type's SUGAR_TYPE_*
 *   NAME     NAME(f) is f with the suffix of the type
 *   PASSES   the type's member of sugar_activation */

enum { NAME(BLOCK) = BLOCK_BYTES / sizeof(REAL) };
static const sugar_data_type NAME(type) = {CODE, sizeof(T) * 8, 1};

/* How many of n elements lie before the first cache line that begins with an element of its own. */
static int64_t NAME(before_line)(const T *p, int64_t n)
{
    return smaller(n, (int64_t)(-(uintptr_t)p % CACHE_LINE / sizeof(T)));
}

void NAME(sugar_run_forward)(const sugar_activation *activation, const T *x, T *y, int64_t n, int stream)
{
    const NAME(sugar_passes) *passes = &activation->PASSES;
    const int64_t head = stream ? NAME(before_line)(y, n) : 0;
    if (head > 0)
        passes->forward(passes->forward_parameters, x, y, (size_t)head, false);
    passes->forward(passes->forward_parameters, x + head, y + head, (size_t)(n - head), stream);
}

/* The surrogate's derivative mixed with the forward function's own, or added to what dx holds: block by
 * block, through buffers that stay in the first-level cache. */
static void NAME(backward_combined)(const sugar_activation *activation, bool accumulate, const T *x,
                                    const T *dy, T *dx, int64_t n, bool stream)
{
    const NAME(sugar_passes) *passes = &activation->PASSES;
    REAL surrogate[NAME(BLOCK)], derivative[NAME(BLOCK)];
    NAME(sugar_combination) combination = {
        .surrogate = surrogate,
        .derivative = passes->derivative ? derivative : NULL,
        .t = passes->blend,
        .u = passes->rest,
        .negative_only = activation->negative_only,
        .accumulate = accumulate,
        .stream = stream,
    };
    for (int64_t i = 0; i < n; i += NAME(BLOCK)) {
        const size_t length = (size_t)smaller(n - i, NAME(BLOCK));
        passes->surrogate(passes->surrogate_parameters, x + i, surrogate, length);
        if (passes->derivative)
            passes->derivative(passes->forward_parameters, x + i, derivative, length);
        combination.x = x + i;
        passes->combine(&combination, dy + i, dx + i, length);
    }
}

static void NAME(backward_run)(const sugar_activation *activation, bool accumulate, const T *x, const T *dy,
                               T *dx, int64_t n, bool stream)
{
    const NAME(sugar_passes) *passes = &activation->PASSES;
    if (passes->derivative || accumulate)
        NAME(backward_combined)(activation, accumulate, x, dy, dx, n, stream);
    else
        passes->backward(passes->surrogate_parameters, x, dy, dx, (size_t)n, stream);
}

static void NAME(backward)(const sugar_activation *activation, bool accumulate, const T *x, const T *dy, T *dx,
                           int64_t n, bool stream)
{
    const int64_t head = stream ? NAME(before_line)(dx, n) : 0;
    if (head > 0)
        NAME(backward_run)(activation, accumulate, x, dy, dx, head, false);
    NAME(backward_run)(activation, accumulate, x + head, dy + head, dx + head, n - head, stream);
}

static void NAME(run_rows)(const job *call, const rows *all, bool stream)
{
    char *const *start = all->start;
    const int64_t *step = all->step;
    const sugar_activation *activation = call->activation;
    if (call->walk.operands == 2)
        for (int64_t i = 0; i < all->count; i++)
            NAME(sugar_run_forward)(activation, (void *)(start[0] + i * step[0]), (void *)(start[1] + i * step[1]),
                          all->n, stream);
    else
        for (int64_t i = 0; i < all->count; i++)
            NAME(backward)(activation, call->accumulate, (void *)(start[0] + i * step[0]),
                           (void *)(start[1] + i * step[1]), (void *)(start[2] + i * step[2]), all->n, stream);
}

static sugar_status NAME(extended_forward)(const sugar_activation *activation, int64_t n, const T *x,
                                           int64_t incx, T *y, int64_t incy, const sugar_call_options *options)
{
    const sugar_tensor tensor_x = flat_view(x, &n, &incx, NAME(type));
    const sugar_tensor tensor_y = flat_view(y, &n, &incy, NAME(type));
    return sugar_extended_forward(activation, &tensor_x, &tensor_y, options, true);
}

static sugar_status NAME(extended_backward)(const sugar_activation *activation, int64_t n, const T *x,
                                            int64_t incx, const T *dy, int64_t incdy, T *dx, int64_t incdx,
                                            const sugar_call_options *options)
{
    const sugar_tensor tensor_x = flat_view(x, &n, &incx, NAME(type));
    const sugar_tensor tensor_dy = flat_view(dy, &n, &incdy, NAME(type));
    const sugar_tensor tensor_dx = flat_view(dx, &n, &incdx, NAME(type));
    return sugar_extended_backward(activation, x || !options->saved_gradient ? &tensor_x : NULL, &tensor_dy, &tensor_dx,
                                   options, true);
}

sugar_status NAME(sugar_forward)(const sugar_activation *activation, int64_t n, const T *x, int64_t incx, T *y,
                                 int64_t incy, const sugar_call_options *options)
{
    sugar_call_options known;
    sugar_status status = check_call(activation, options, FORWARD_FLAGS, &known);
    if (status == SUGAR_OK)
        status = check_flat(n, "incy", incy);
    if (status != SUGAR_OK)
        return status;
    if (sugar_is_extended(&known))
        return NAME(extended_forward)(activation, n, x, incx, y, incy, &known);
    if (n == 0)
        return SUGAR_OK;
    /* Nothing but what a short vector needs. */
    if (incx == 1 && incy == 1 && sugar_is_vector(x, n, sizeof(T)) && sugar_is_vector(y, n, sizeof(T))
        && sugar_is_same_or_apart(x, y, n, sizeof(T)) && sugar_parallel_is_whole(known.context, n)) {
        NAME(sugar_run_forward)(activation, x, y, n, sugar_is_streamed(known.flags, (uint64_t)n * sizeof(T), x == y));
        return SUGAR_OK;
    }
    const sugar_tensor tensor_x = flat_view(x, &n, &incx, NAME(type));
    const sugar_tensor tensor_y = flat_view(y, &n, &incy, NAME(type));
    const sugar_operand operands[] = {
        {.name = "x", .tensor = &tensor_x, .is_flat = true},
        {.name = "y", .tensor = &tensor_y, .role = SUGAR_OUTPUT, .is_flat = true},
    };
    return run(activation, operands, 2, &known);
}

sugar_status NAME(sugar_backward)(const sugar_activation *activation, int64_t n, const T *x, int64_t incx,
                                  const T *dy, int64_t incdy, T *dx, int64_t incdx,
                                  const sugar_call_options *options)
{
    sugar_call_options known;
    sugar_status status = check_call(activation, options, BACKWARD_FLAGS, &known);
    if (status == SUGAR_OK)
        status = check_flat(n, "incdx", incdx);
    if (status != SUGAR_OK)
        return status;
    if (known.flags & SUGAR_CALL_FROM_OUTPUT)
        activation = sugar_activation_from_output(activation);
    if (!activation)
        return SUGAR_ERROR_UNSUPPORTED;
    if (sugar_is_extended(&known))
        return NAME(extended_backward)(activation, n, x, incx, dy, incdy, dx, incdx, &known);
    if (n == 0)
        return SUGAR_OK;
    if (incx == 1 && incdy == 1 && incdx == 1 && sugar_is_vector(x, n, sizeof(T))
        && sugar_is_vector(dy, n, sizeof(T))
        && sugar_is_vector(dx, n, sizeof(T)) && sugar_is_same_or_apart(x, dx, n, sizeof(T))
        && sugar_is_same_or_apart(dy, dx, n, sizeof(T)) && sugar_parallel_is_whole(known.context, n)) {
        NAME(backward)(activation, known.flags & SUGAR_CALL_ACCUMULATE, x, dy, dx, n,
                       sugar_is_streamed(known.flags, (uint64_t)n * sizeof(T), x == dx || dy == dx));
        return SUGAR_OK;
    }
    const sugar_tensor tensor_x = flat_view(x, &n, &incx, NAME(type));
    const sugar_tensor tensor_dy = flat_view(dy, &n, &incdy, NAME(type));
    const sugar_tensor tensor_dx = flat_view(dx, &n, &incdx, NAME(type));
    const sugar_operand operands[] = {
        {.name = "x", .tensor = &tensor_x, .is_flat = true},
        {.name = "dy", .tensor = &tensor_dy, .is_flat = true},
        {.name = "dx", .tensor = &tensor_dx, .role = SUGAR_OUTPUT, .is_flat = true},
    };
    return run(activation, operands, 3, &known);
}

#undef T
#undef REAL
#undef CODE
#undef NAME
#undef PASSES
