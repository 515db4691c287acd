// Names files in both ways, and shows its arguments, a variable and its input; see tests/execution/languages.rs.
package main

import (
	"bufio"
	"fmt"
	"os"
)

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func show(what, path string) {
	text, err := os.ReadFile(path)
	try(err)
	fmt.Printf("%s: %s\n", what, text)
}

func main() {
	fmt.Print("args:")
	for _, word := range os.Args[1:] {
		fmt.Printf(" [%s]", word)
	}
	fmt.Printf("\nvariable: %s\n", os.Getenv("GRANTED"))
	here := os.Getenv("PWD")
	try(os.WriteFile("relative.txt", []byte("relative"), 0o644))
	try(os.WriteFile(here+"/absolute.txt", []byte("absolute"), 0o644))
	show("through the absolute name", here+"/relative.txt")
	show("through the relative name", "absolute.txt")
	line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	fmt.Printf("input: %s\n", line)
	os.Exit(7)
}
