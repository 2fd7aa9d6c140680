package main

import (
	"github.com/spf13/cobra"
)

func newMigrate(s *streams) *cobra.Command {
	return &cobra.Command{Use: "migrate", Hidden: true}
}
