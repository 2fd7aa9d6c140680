package inflate

import "encoding/binary"

// load64 and store64 name the capacity too, which spares the compiler a guard
// against a pointer behind the end.
func load64(b []byte, i int) uint64     { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }
func store64(b []byte, i int, v uint64) { binary.LittleEndian.PutUint64(b[i:i+8:i+8], v) }
