//! P9: the roster of a whole province from one Excel file.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rust_xlsxwriter::{Workbook, XlsxError};
use tokio::time::sleep;

use crate::cases::Bench;
use crate::cases::process::megabytes;
use crate::data;
use crate::report::Figure;
use crate::server::{memory_of, product_command};

const DATABASE: &str = "roster";
const MEMBERS: u32 = 108_600;
const CELL: &str = "00000000-0000-7000-8000-000000000001";
const HEADINGS: [&str; 8] = [
    "Họ và tên",
    "Ngày sinh",
    "Giới tính",
    "Số thẻ đảng viên",
    "Số CCCD",
    "Điện thoại",
    "Ngày vào Đảng (dự bị)",
    "Ngày chính thức",
];
const FAMILY: [&str; 8] = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi"];
const GIVEN: [&str; 8] = ["An", "Bình", "Dũng", "Hạnh", "Lan", "Nam", "Thảo", "Yến"];

pub async fn import(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    let file = bench.place.path.join("roster.xlsx");
    write(&file).map_err(|e| format!("the roster: {e}"))?;
    data::empty_database(&bench.postgres, DATABASE).await?;
    data::run(&bench.programs, &bench.postgres, bench.place, DATABASE, &["migrate"]).await?;
    let cell = format!(
        "INSERT INTO units (id, kind, name, created_at) VALUES ('{CELL}', 'cell', 'Chi bộ đo', now());
         INSERT INTO unit_links (unit_id, valid_from) VALUES ('{CELL}', '2020-01-01');
         INSERT INTO unit_tree (ancestor_id, descendant_id, depth, valid_from) VALUES ('{CELL}', '{CELL}', 0, '2020-01-01')"
    );
    bench.postgres.sql(DATABASE, &cell).await?;
    let begun = Instant::now();
    let most = run(bench, &file).await?;
    let took = begun.elapsed().as_secs_f64();
    let members = bench.postgres.number(DATABASE, "SELECT count(*) FROM memberships").await?;
    if members != u64::from(MEMBERS) {
        return Err(format!("{members} members were imported instead of {MEMBERS}"));
    }
    eprintln!("  at most {:.0} MB of memory", megabytes(most));
    Ok(vec![Figure::plain("P9", took)])
}

/// Runs the import to its end. The most memory that it had at a time.
async fn run(bench: &Bench<'_>, file: &Path) -> Result<u64, String> {
    let settings = data::settings(&bench.postgres, bench.place, DATABASE, &[]);
    let mut command = product_command(&bench.programs, &settings);
    command.arg("import").arg(file).args(["--unit", CELL, "--commit"]).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("sotay import: {e}"))?;
    let id = child.id().unwrap_or(0);
    let mut most = 0;
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(|e| e.to_string())?;
                return if status.success() { Ok(most) } else { Err(format!("sotay import ended with {status}")) };
            }
            () = sleep(Duration::from_millis(50)) => most = most.max(memory_of(id, "VmHWM:")),
        }
    }
}

/// A sheet as secretaries keep them; all people in it are invented.
fn write(file: &Path) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    // Written row by row, so that this program does not hold the sheet in memory.
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    for (column, heading) in (0..).zip(HEADINGS) {
        sheet.write_string(0, column, heading)?;
    }
    for n in 0..MEMBERS {
        let row = n + 1;
        let pick = |names: [&'static str; 8], by: u32| names[(n / by % 8) as usize];
        sheet.write_string(row, 0, format!("{} Văn {}", pick(FAMILY, 1), pick(GIVEN, 8)))?;
        sheet.write_string(row, 1, format!("{:02}/{:02}/{}", 1 + n % 28, 1 + n % 12, 1950 + n % 45))?;
        sheet.write_string(row, 2, if n % 2 == 0 { "Nam" } else { "Nữ" })?;
        sheet.write_string(row, 3, format!("{:012}", 38_000_000 + n))?;
        sheet.write_string(row, 4, format!("038{:09}", 180_000_000 + n))?;
        sheet.write_string(row, 5, format!("09{n:08}"))?;
        sheet.write_string(row, 6, "03/02/2015")?;
        sheet.write_string(row, 7, "03/02/2016")?;
    }
    workbook.save(file)
}
