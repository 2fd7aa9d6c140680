package gitsource

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// WorkTree returns the root of the work tree that path is in, or "" if it is in none.
// Above a bare repository, or a git directory, there is none.
func WorkTree(path string) string {
	dir, err := repo.Find(path)
	if err != nil {
		return ""
	}
	return dir.Root
}

// Settings returns the values of an option in the configuration of the repository whose
// work tree is at root, in order. It reads neither the configurations of the user and the
// system, nor included files.
func Settings(root, section, option string) []string {
	gitDir, ok := repo.ResolveGitDir(filepath.Join(root, ".git"))
	if !ok {
		return nil
	}
	return repo.ReadConfig(repo.CommonDir(gitDir)).Section(section).OptionAll(option)
}

// UserSettings returns the values of an option in the user's own configuration, as "git
// config --global" writes it (git-config(1), FILES). It reads neither included files nor
// the configuration of the system.
func UserSettings(section, option string) (values []string) {
	var files []string
	if home, err := os.UserHomeDir(); err == nil {
		files = []string{
			filepath.Join(cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "git", "config"),
			filepath.Join(home, ".gitconfig"),
		}
	}
	if file, ok := os.LookupEnv("GIT_CONFIG_GLOBAL"); ok {
		files = []string{file}
	}
	for _, file := range files {
		values = append(values, repo.ReadConfigFile(file).Section(section).OptionAll(option)...)
	}
	return values
}
