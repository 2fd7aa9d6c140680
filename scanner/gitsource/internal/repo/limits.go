package repo

// MaxLocations is how many locations of one id are listed. Ten trees with ten entries each,
// where every entry is the next tree, hold a file at ten billion paths.
const MaxLocations = 1000

// MaxPath is the length of the longest path in bytes. The beginning of a longer one is cut
// off: trees that are nested a million times would have a terabyte of paths.
const MaxPath = 4096

// CutPath cuts the beginning off a path of more than MaxPath bytes.
func CutPath(path string) string {
	if len(path) > MaxPath {
		path = "…" + path[len(path)-MaxPath:]
	}
	return path
}
