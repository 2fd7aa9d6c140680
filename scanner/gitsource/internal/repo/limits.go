package repo

// MaxLocations is how many locations of one id are listed. Ten trees with ten entries
// each, all of them the next tree, hold a file at ten billion paths.
const MaxLocations = 1000

// MaxPath is from how many bytes on the beginning of a path is cut off: trees
// that are nested a million times would have paths of a terabyte in all.
const MaxPath = 4096

// CutPath cuts a path down to maxPath.
func CutPath(path string) string {
	if len(path) > MaxPath {
		path = "…" + path[len(path)-MaxPath:]
	}
	return path
}
