package prefetch

import "testing"

func TestLine(t *testing.T) {
	s := []int32{1, 2, 3}
	for _, i := range []int{-1, 0, 2, 3, 1 << 40} {
		Line(s, i)
		Line([]int32(nil), i)
	}
	if s[0] != 1 || s[2] != 3 {
		t.Error("Line changes what it loads")
	}
}
