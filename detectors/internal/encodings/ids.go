package encodings

// The parts of an id: four letters that name its kind, such as AKIA, and a body of
// capital letters and digits.
const (
	IDPrefix = 4
	IDBody   = 16
	IDLen    = IDPrefix + IDBody
)
