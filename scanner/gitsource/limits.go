package gitsource

// maxPlaces is how many places of one id are listed. Ten trees with ten entries
// each, all of them the next tree, hold a file at ten billion paths.
const maxPlaces = 1000

// maxPath is from how many bytes on the beginning of a path is cut off: trees
// that are nested a million times would have paths of a terabyte in all.
const maxPath = 4096

// cut cuts a path down to maxPath.
func cut(path string) string {
	if len(path) > maxPath {
		path = "…" + path[len(path)-maxPath:]
	}
	return path
}
