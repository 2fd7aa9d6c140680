package response

import "os"

// Rehash gives p the hash that fits, as somebody could who makes plans by hand.
func Rehash(p *Plan) { p.Hash = p.Sum() }

// OnWrite makes f be called after each record is durable.
func (j *Journal) OnWrite(f func()) { j.wrote = f }

// Break makes every later write fail, as a full disk does.
func (j *Journal) Break() {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil { // no Linux: a file that cannot be written
		full, _ = os.Open(os.DevNull)
	}
	_ = j.file.Close()
	j.file = full
}
