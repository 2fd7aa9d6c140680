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
	slots []byte // each an id, and the number of the object plus one in 4 bytes
	size  int    // of an id
}

// recentSlots is the number of ids that are remembered: one for each value of their first two
// bytes.
const recentSlots = 1 << 16

// newRecentIDs is for ids of size bytes. Memory that is not used yet costs nothing.
func newRecentIDs(size int) *recentIDs {
	return &recentIDs{make([]byte, recentSlots*(size+4)), size}
}

// slot returns the slot of an id.
func (r *recentIDs) slot(id []byte) []byte {
	return r.slots[int(binary.LittleEndian.Uint16(id))*(r.size+4):][:r.size+4]
}

// find returns the number of the object with the id, none if it is not remembered.
func (r *recentIDs) find(id []byte) int32 {
	if r == nil {
		return objects.None
	}
	slot := r.slot(id)
	if string(slot[:r.size]) != string(id) {
		return objects.None
	}
	return int32(binary.LittleEndian.Uint32(slot[r.size:])) - 1
}

// add remembers an object in place of another one.
func (r *recentIDs) add(id []byte, node int32) {
	if r == nil {
		return
	}
	slot := r.slot(id)
	copy(slot, id)
	binary.LittleEndian.PutUint32(slot[r.size:], uint32(node+1))
}
