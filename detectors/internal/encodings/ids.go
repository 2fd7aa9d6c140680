package encodings

// An id is four letters and a body of capital letters and digits.
const (
	IDPrefix = 4
	IDBody   = 16
	IDLen    = IDPrefix + IDBody
)
