//! What the binary refuses to start with: it exits with 2 and says what to do, and leaves everything as it is.

use crate::harness::{DATA_FILE, Process};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;

/// A data folder that a server has used, with somebody's account in it.
async fn used() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    process.sign_up("minsu@example.com").await;
    assert_eq!(process.stop().await.code(), Some(0));
    let master_key = folder.path().join("data/master.key");
    (folder, master_key)
}

/// It does not start, for this reason.
async fn refused(folder: &TempDir, reasons: &[&str]) {
    let (status, said) = Process::start_refused(folder.path(), &[]).await;
    assert_eq!(status, Some(2), "{said}");
    for reason in reasons {
        assert!(said.contains(reason), "{reason}: {said}");
    }
    assert!(said.starts_with("counterfoil: ") && !said.contains("panicked"), "{said}");
}

/// It does not start, for this reason, and after `mend` it does, with everything that was there.
async fn refused_until(folder: &TempDir, reasons: &[&str], mend: impl FnOnce()) {
    refused(folder, reasons).await;
    mend();
    let process = Process::start(folder.path(), &[]).await;
    process.sign_in("minsu@example.com").await;
}

#[tokio::test]
async fn a_new_folder_is_private() {
    let (folder, master_key) = used().await;
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path().join("data")), 0o700);
    assert_eq!(mode(master_key), 0o600);
    assert_eq!(mode(folder.path().join("data").join(DATA_FILE)), 0o600);
}

#[tokio::test]
async fn a_folder_that_others_may_write_to() {
    let (folder, _) = used().await;
    let data = folder.path().join("data");
    let chmod = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
    chmod(0o777);
    refused_until(&folder, &["others may write to the data folder", "chmod go-w"], || chmod(0o755)).await;
}

#[tokio::test]
async fn a_second_server_on_the_same_folder() {
    let folder = TempDir::new().unwrap();
    let first = Process::start(folder.path(), &[]).await;
    let tokens = first.sign_up("minsu@example.com").await;
    let reasons = ["another server is running on the data folder", "--data"];
    refused(&folder, &reasons).await;
    first.account(&tokens.access).await.expect(200);
    first.refresh(&tokens.refresh).await.expect(200);
    refused_until(&folder, &reasons, || drop(first)).await;
}

#[tokio::test]
async fn a_master_key_of_another_store() {
    let (folder, master_key) = used().await;
    let (_other, other_key) = used().await;
    let own = fs::read(&master_key).unwrap();
    fs::write(&master_key, fs::read(other_key).unwrap()).unwrap();
    let reasons = ["the master key does not fit the stored keys", "put the master key of this store back"];
    refused_until(&folder, &reasons, || fs::write(&master_key, own).unwrap()).await;
}

#[tokio::test]
async fn a_missing_master_key() {
    let (folder, master_key) = used().await;
    let kept = folder.path().join("kept");
    fs::rename(&master_key, &kept).unwrap();
    refused_until(&folder, &["master.key is missing", "put the file back"], || {
        assert!(!master_key.exists(), "it made a new one, which would lock everybody out");
        fs::rename(&kept, &master_key).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_master_key_that_others_can_read() {
    let (folder, master_key) = used().await;
    let set_mode = |mode| fs::set_permissions(&master_key, fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o644);
    refused_until(&folder, &["can be read by others", "chmod 600"], || set_mode(0o600)).await;
}

#[tokio::test]
async fn a_master_key_that_is_none() {
    let (folder, master_key) = used().await;
    let own = fs::read(&master_key).unwrap();
    fs::write(&master_key, "not a key\n").unwrap();
    refused_until(&folder, &["is not a master key"], || fs::write(&master_key, own).unwrap()).await;
}

#[tokio::test]
async fn a_data_file_that_is_none() {
    let (folder, _) = used().await;
    let data_file = folder.path().join("data").join(DATA_FILE);
    let own = fs::read(&data_file).unwrap();
    fs::write(&data_file, "these are the notes of somebody else, and not a database at all").unwrap();
    refused_until(&folder, &["is not a SQLite database", "left as it is"], || fs::write(&data_file, own).unwrap())
        .await;
}

#[tokio::test]
async fn an_address_in_use_and_options_that_are_unsafe() {
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &[]).await;
    let other = TempDir::new().unwrap();
    let taken = process.base_url().strip_prefix("http://").unwrap();
    for (option, value, reason) in [
        ("COUNTERFOIL_PASSWORD__CHARACTERS_MIN", "4", "password.characters_min"),
        ("COUNTERFOIL_REFRESH__RETRY_WINDOW", "1h", "refresh.retry_window"),
        ("COUNTERFOIL_REFRESH__RETRY_WINDW", "5s", "retry_windw"),
        ("COUNTERFOIL_PUBLIC_URL", "http://auth.example.com", "public_url"),
        ("COUNTERFOIL_SIGNING__ALGORITHM", "none", "signing.algorithm"),
        ("COUNTERFOIL_STORE", "mysql://x", "store"),
    ] {
        let (status, said) = Process::start_refused(other.path(), &[(option, value)]).await;
        assert_eq!(status, Some(2), "{option}: {said}");
        assert!(said.contains(reason), "{option}: {said}");
    }
    let (status, said) = Process::start_refused_at(other.path(), taken).await;
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(&format!("cannot listen on {taken}")), "{said}");
}
