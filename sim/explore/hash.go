package explore

import (
	"math/bits"
	"unsafe"
)

const words = int(unsafe.Sizeof(world{})) / 8

// hash of a world, 64 bit. It is the same on every machine and in every run of one program. Two states of one search have the
// same hash by chance with a probability of about n²/2^65: for ten million states, three in a million.
func (w *world) hash() uint64 {
	data := unsafe.Slice((*byte)(unsafe.Pointer(w)), words*8) //nolint:gosec // the world has neither padding nor pointers, see TestWorldIsBytes
	a, b := uint64(0x9e3779b97f4a7c15), uint64(0xd1b54a32d192ed03)
	for i := 0; i < len(data); i += 16 {
		hi, lo := bits.Mul64(word(data[i:])^a, word(data[i+8:])^b)
		a, b = a^hi, b^lo
		a = bits.RotateLeft64(a, 23)*0xa0761d6478bd642f + uint64(i)
	}
	hi, lo := bits.Mul64(a^0xe7037ed1a0b428db, b^0x8ebc6af09c88c6e3)
	if h := hi ^ lo; h != 0 {
		return h
	}
	return 1 // zero is an empty slot of the table
}

func word(b []byte) uint64 {
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
