//! Names files in both ways, and shows its arguments, a variable and its input; see tests/execution/languages.rs.

use std::{env, fs, io, process};

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().skip(1).map(|word| format!(" [{word}]")).collect();
    println!("args:{}", args.concat());
    println!("variable: {}", env::var("GRANTED").unwrap());
    let here = env::var("PWD").unwrap();
    fs::write("relative.txt", "relative")?;
    fs::write(format!("{here}/absolute.txt"), "absolute")?;
    println!("through the absolute name: {}", fs::read_to_string(format!("{here}/relative.txt"))?);
    println!("through the relative name: {}", fs::read_to_string("absolute.txt")?);
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    println!("input: {line}");
    process::exit(7)
}
