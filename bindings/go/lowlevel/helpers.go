package lowlevel

// #include <stdlib.h>
import "C"

import "unsafe"

// Allocate returns zeroed memory of C's, for structs that lead to other memory. It is given back with Free.
func Allocate(bytes uintptr) unsafe.Pointer {
	return C.calloc(1, C.size_t(bytes)+1)
}

// Free gives memory back that Allocate returned.
func Free(memory unsafe.Pointer) {
	C.free(memory)
}

// String is what a string of C's holds; "" for nil.
func String(pointer *byte) string {
	return C.GoString((*C.char)(unsafe.Pointer(pointer)))
}

// NewString makes a string of C's, to be given back with Free.
func NewString(text string) *byte {
	return (*byte)(unsafe.Pointer(C.CString(text)))
}

// String is the status' name, such as "SUGAR_ERROR_SPEC".
func (status Status) String() string {
	return String(StatusName(status))
}
