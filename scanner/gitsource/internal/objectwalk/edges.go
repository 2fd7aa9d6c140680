package objectwalk

import "slices"

// noName is the name of an entry that is no edge.
const noName = 1<<32 - 1

// An edgeList has the entries of a tree that are edges of the graph: folders, and the few files
// that matter. Its fields are lists, so that what two trees have in common is copied at once.
type edgeList struct {
	starts       []uint32 // of the entries, in the tree
	nodes, names []uint32
}

func (l *edgeList) reset() { l.starts, l.nodes, l.names = l.starts[:0], l.nodes[:0], l.names[:0] }

func (l *edgeList) add(start, node, name uint32) {
	l.starts, l.nodes, l.names = append(l.starts, start), append(l.nodes, node), append(l.names, name)
}

// seek returns the first edge at start or after it, which is mostly at i or soon after.
func (l *edgeList) seek(i int, start uint32) int {
	if i > 0 && l.starts[i-1] >= start {
		i = 0
	}
	for range 8 {
		if i == len(l.starts) || l.starts[i] >= start {
			return i
		}
		i++
	}
	more, _ := slices.BinarySearch(l.starts[i:], start)
	return i + more
}

// copy appends edges i to j of base, moved by shift.
func (l *edgeList) copy(base *edgeList, i, j int, shift uint32) {
	l.starts = appendMoved(l.starts, base.starts[i:j], shift)
	l.nodes, l.names = append(l.nodes, base.nodes[i:j]...), append(l.names, base.names[i:j]...)
}

// appendMoved appends starts, moved by shift.
func appendMoved(dst, starts []uint32, shift uint32) []uint32 {
	at := len(dst)
	dst = append(dst, starts...)
	if shift != 0 { // mostly, two trees differ in ids alone
		for i := range dst[at:] {
			dst[at+i] += shift
		}
	}
	return dst
}

// dropUnnamed drops the edges without a name. There are none before edge first.
func (l *edgeList) dropUnnamed(first int) {
	k := first
	for i := first; i < len(l.names); i++ {
		if l.names[i] != noName {
			l.starts[k], l.nodes[k], l.names[k] = l.starts[i], l.nodes[i], l.names[i]
			k++
		}
	}
	l.starts, l.nodes, l.names = l.starts[:k], l.nodes[:k], l.names[:k]
}
