/* sugar_tensor against the real DLTensor, member by member. It only has to compile. */
#include <stddef.h>

#include <dlpack/dlpack.h>
#include <sugar/sugar.h>

#define SAME_MEMBER(ours, our_member, theirs, their_member)                                                            \
    _Static_assert(offsetof(ours, our_member) == offsetof(theirs, their_member)                                        \
                       && sizeof(((ours *)0)->our_member) == sizeof(((theirs *)0)->their_member),                      \
                   #our_member " lies elsewhere in " #theirs)

_Static_assert(sizeof(sugar_tensor) == sizeof(DLTensor), "sugar_tensor has the size of DLTensor");
_Static_assert(_Alignof(sugar_tensor) == _Alignof(DLTensor), "sugar_tensor is aligned as DLTensor");
SAME_MEMBER(sugar_tensor, data, DLTensor, data);
SAME_MEMBER(sugar_tensor, device, DLTensor, device);
SAME_MEMBER(sugar_tensor, ndim, DLTensor, ndim);
SAME_MEMBER(sugar_tensor, dtype, DLTensor, dtype);
SAME_MEMBER(sugar_tensor, shape, DLTensor, shape);
SAME_MEMBER(sugar_tensor, strides, DLTensor, strides);
SAME_MEMBER(sugar_tensor, byte_offset, DLTensor, byte_offset);

_Static_assert(sizeof(sugar_device) == sizeof(DLDevice), "sugar_device has the size of DLDevice");
SAME_MEMBER(sugar_device, device_type, DLDevice, device_type);
SAME_MEMBER(sugar_device, device_id, DLDevice, device_id);

_Static_assert(sizeof(sugar_data_type) == sizeof(DLDataType), "sugar_data_type has the size of DLDataType");
SAME_MEMBER(sugar_data_type, code, DLDataType, code);
SAME_MEMBER(sugar_data_type, bits, DLDataType, bits);
SAME_MEMBER(sugar_data_type, lanes, DLDataType, lanes);

_Static_assert((int)SUGAR_DEVICE_CPU == (int)kDLCPU, "the CPU has DLPack's number");
_Static_assert((int)SUGAR_TYPE_FLOAT == (int)kDLFloat, "floats have DLPack's number");
_Static_assert((int)SUGAR_TYPE_BFLOAT == (int)kDLBfloat, "bfloats have DLPack's number");
