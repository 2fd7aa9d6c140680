package detectors

// An id is four letters and a body of capital letters and digits.
const (
	idPrefix = 4
	idBody   = 16
	idLen    = idPrefix + idBody
)
